"""`compare`"""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from msgspec import structs

from analytics.commands.shared import as_json_option, dataset_option, settings, show, working
from analytics.compare import Comparison, Contributions, compare, moved, of_dataset
from analytics.compare.tolerance import parsed
from analytics.export import Format, Order, export, of_comparison
from analytics.export.write import Exported, format_of
from analytics.figures import FIGURES
from analytics.lake import Lake
from analytics.lake.store import known_dataset

_TITLES = {figure.name: f"{figure.title} ({figure.unit})" for figure in FIGURES}
_WHY_BY = ("floor", "category", "counted_by", "item_code")


@click.command("compare")
@click.argument("baseline", default="previous")
@click.argument("comparison", default="latest")
@dataset_option
@click.option(
    "--tolerance",
    "tolerances",
    multiple=True,
    metavar="COLUMN=SIZE",
    help="Steps that count as unchanged: verified_qty=0.5 in its unit, or verified_qty=5% of the value before.",
)
@click.option("--ignore", multiple=True, metavar="COLUMN", help="Columns to leave out (default: who counted, when).")
@click.option("--why", is_flag=True, help="Say which floors, categories, counters and items moved a total.")
@click.option("--total", help="The total that --why explains (default: the net variance value, or the rows).")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write every row that differs to a file: csv, xlsx, json, ndjson, parquet or pdf.",
)
@as_json_option
def command(
    baseline: str,
    comparison: str,
    dataset: str,
    tolerances: Sequence[str],
    ignore: Sequence[str],
    why: bool,
    total: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Show what changed from BASELINE (the one before) to COMPARISON (the latest).

    Lines are paired by rack, bin and item. A step is within tolerance if it is not larger than the absolute size, or
    not larger than that share of the value before.

    \b
    Examples:
      stockverify compare
      stockverify compare 20260131T180000000Z-0a1b2c3d latest
      stockverify compare --tolerance verified_qty=1 --tolerance variance_value=2% --out changes.xlsx
      stockverify compare --why --total shrinkage_value
      stockverify compare previous latest --dataset records --json
    """
    lake = Lake(settings().lake)
    first, second = lake.resolve(baseline), lake.resolve(comparison)
    kind = format_of(out.suffix[1:] or "csv") if out else None
    with working("Comparing …"):
        found = compare(lake, first, second, dataset, ignore or None, parsed(tolerances))
        reasons = _reasons(lake, found, total) if why else []
        written = _written(lake, found, kind, out) if kind and out else None
    shown = found.contract() | _more(reasons, written)
    show(shown, as_json, "\n".join([*_lines(found), *_reason_lines(reasons), *_written_lines(written)]))


def _reasons(lake: Lake, found: Comparison, total: str | None) -> list[Contributions]:
    parts = of_dataset(known_dataset(found.dataset)).parts
    return [moved(lake, found, total, by) for by in _WHY_BY if by in parts]


def _written(lake: Lake, found: Comparison, kind: Format, out: Path) -> Exported:
    chosen, asked_by = settings(), os.environ.get("USER", "command line")
    order = Order(asked_by, chosen.time_zone, datetime.now(UTC), currency=chosen.currency)
    return export(of_comparison(found, lambda: moved(lake, found)), kind, out, order)


def _more(reasons: list[Contributions], written: Exported | None) -> dict[str, Any]:
    told: dict[str, Any] = {"contributions": reasons} if reasons else {}
    return {**told, "file": structs.asdict(written)} if written else told


def _lines(found: Comparison) -> Iterator[str]:
    """The counts, the columns that changed, and the totals of a comparison."""
    yield f"{found.dataset}: from {found.baseline.snapshot_id} to {found.comparison.snapshot_id}"
    for name, count in found.counts().items():
        yield f"  {name.removesuffix('_count').replace('_', ' '):<26}{count:>16,}"
    if found.manifest.within:
        yield f"  {'of these within tolerance':<26}{found.manifest.within:>16,}"
    for name, count in found.column_changes.items():
        yield f"  {'changed ' + name:<26}{count:>16,}"
    for name, (before, after) in found.manifest.type_changed.items():
        yield f"  {'type of ' + name:<26}  {before or 'missing'} -> {after or 'missing'}"
    yield f"  {'':<26}{'before':>16}{'after':>16}{'difference':>16}"
    for name, step in found.summary.items():
        numbers = (step.baseline, step.comparison, step.absolute_diff)
        yield f"  {_TITLES.get(name, name):<26}" + "".join(f"{number:>16,.2f}" for number in numbers)


def _reason_lines(reasons: list[Contributions]) -> Iterator[str]:
    for reason in reasons:
        title = f"{_TITLES.get(reason.total, reason.total)} by {reason.by}"
        yield f"\n  {title:<58}{reason.change.absolute_diff:>+16,.2f}"
        for part in reason.parts:
            group = "(none)" if part.group is None else part.group
            yield f"    {group[:23]:<24}{part.baseline:>14,.2f}{part.comparison:>16,.2f}{part.change:>+16,.2f}"
        if reason.other.groups:
            yield f"    {f'{reason.other.groups:,} others':<54}{reason.other.change:>+16,.2f}"


def _written_lines(written: Exported | None) -> Iterator[str]:
    if written:
        yield f"\n{written.rows:,} rows that differ, {written.bytes:,} bytes: {written.path}"
