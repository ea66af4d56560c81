"""`compare`"""

from collections.abc import Iterator

import click

from analytics.commands.shared import as_json_option, dataset_option, settings, show, working
from analytics.compare import Comparison, compare
from analytics.figures import FIGURES
from analytics.lake import Lake

_TITLES = {figure.name: f"{figure.title} ({figure.unit})" for figure in FIGURES}


@click.command("compare")
@click.argument("baseline", default="previous")
@click.argument("comparison", default="latest")
@dataset_option
@as_json_option
def command(baseline: str, comparison: str, dataset: str, as_json: bool) -> None:
    """Show what changed from BASELINE (the one before) to COMPARISON (the latest).

    \b
    Examples:
      stockverify compare
      stockverify compare 20260131T180000000Z-0a1b2c3d latest
      stockverify compare previous latest --dataset records --json
    """
    lake = Lake(settings().lake)
    with working("Comparing …"):
        found = compare(lake, lake.resolve(baseline), lake.resolve(comparison), dataset)
    show(found.contract(), as_json, "\n".join(_lines(found)))


def _lines(found: Comparison) -> Iterator[str]:
    """The counts, the columns that changed, and the totals of a comparison."""
    yield f"{found.dataset}: from {found.baseline.snapshot_id} to {found.comparison.snapshot_id}"
    for name, count in found.counts().items():
        yield f"  {name.removesuffix('_count').replace('_', ' '):<26}{count:>16,}"
    for name, count in found.diff.column_changes.items():
        yield f"  {'changed ' + name:<26}{count:>16,}"
    yield f"  {'':<26}{'before':>16}{'after':>16}{'difference':>16}"
    for name, step in found.summary.items():
        numbers = (step.baseline, step.comparison, step.absolute_diff)
        yield f"  {_TITLES.get(name, name):<26}" + "".join(f"{number:>16,.2f}" for number in numbers)
