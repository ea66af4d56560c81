"""`anomalies`"""

import re
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from analytics.anomalies import Anomalies, find
from analytics.commands.shared import as_json_option, freeze_line, settings, show, working
from analytics.lake import Lake
from stockverify.vocabulary import AnomalyKind

_KINDS = [str(kind) for kind in AnomalyKind]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@click.command("anomalies")
@click.argument("snapshot_id", metavar="[SNAPSHOT]", default="latest")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice([str(kind) for kind in AnomalyKind]), help="Only this."
)
@click.option("--against", metavar="[SNAPSHOT]", help="Snapshot of the last count (default: the one before).")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Flags to show; all are counted.")
@as_json_option
def command(snapshot_id: str, kinds: tuple[str, ...], against: str | None, limit: int, as_json: bool) -> None:
    """Show what is odd in SNAPSHOT (the latest), the most severe first: why, against what, and which rows prove it.

    \b
    Examples:
      stockverify anomalies
      stockverify anomalies latest --kind digit_heaping --kind always_book
      stockverify anomalies --against 20260131T180000000Z-0a1b2c3d --limit 100 --json
    """
    chosen = settings()
    lake = Lake(chosen.lake)
    with working("Looking for anomalies …"):
        found = find(lake, lake.resolve(snapshot_id), kinds, lake.resolve(against) if against else None)
    show(_plain(found, limit), as_json, "\n".join(_lines(found, limit, chosen.time_zone)))


def _plain(found: Anomalies, limit: int) -> dict[str, Any]:
    return {**msgspec.structs.asdict(found), "flags": found.flags.head(limit).to_dicts()}


def _lines(found: Anomalies, limit: int, zone: str) -> Iterator[str]:
    """How many there are of each kind, and the first ones."""
    yield freeze_line(found.freeze, zone)
    for kind, number in found.found.items():
        yield f"  {kind.replace('_', ' '):<20}{number:>10,}"
    for flag in found.flags.head(limit).iter_rows(named=True):
        yield f"\n{flag['severity']:.2f}  {flag['kind'].replace('_', ' ')}: {_printable(flag['subject'])}"
        yield f"      {_printable(flag['why'])}"
        yield f"      Usual: {_printable(flag['baseline'])}."
        first = _printable(", ".join(flag["proof"][0]))
        yield f"      {flag['proof_rows']:,} rows of {flag['dataset']}, such as {first}"


def _printable(text: str) -> str:
    """Names come from devices; what would steer a terminal becomes a question mark."""
    return _CONTROL.sub("?", text)
