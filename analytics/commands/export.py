"""`export`"""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from analytics.commands.shared import as_json_option, counting, dataset_option, settings, show
from analytics.export import Format, Order, export, of_snapshot
from analytics.export.write import format_of
from analytics.figures import tolerance_of
from analytics.lake import Lake
from stockverify.errors import BadInput
from stockverify.settings import Settings


class OtherFormat(BadInput):
    """--out ends in .{name}, and --format says {kind}. Leave one of them out, or let both say the same."""


@click.command("export")
@click.argument("snapshot_id", metavar="[SNAPSHOT]", default="latest")
@click.option(
    "--format",
    "kind",
    type=click.Choice([str(kind) for kind in Format]),
    help="Of the file (default: as --out ends, or else xlsx).",
)
@dataset_option
@click.option("--bom/--no-bom", default=True, help="Mark a CSV file as UTF-8, which Excel needs (default: yes).")
@click.option("--out", type=click.Path(path_type=Path), help="File or folder (default: exports in the data directory).")
@as_json_option
def command(snapshot_id: str, kind: str | None, dataset: str, bom: bool, out: Path | None, as_json: bool) -> None:
    """Write SNAPSHOT (the latest) as a file, with a manifest beside it that says where its numbers come from.
    Ctrl-C ends it and leaves nothing behind.

    \b
    Examples:
      stockverify export latest --format xlsx
      stockverify export previous --dataset records --out counts.csv
      stockverify export latest --out stock.pdf
    """
    chosen = settings()
    lake, wanted_kind = Lake(chosen.lake), _kind(kind, out)
    wanted = lake.resolve(snapshot_id)
    table = of_snapshot(lake, wanted, dataset, tolerance_of(chosen))
    path = _target(out, chosen, f"{table.name}-{wanted}.{wanted_kind}")
    order = Order(os.environ.get("USER", "command line"), chosen.time_zone, datetime.now(UTC), bom, chosen.currency)
    with counting(f"Writing {path.name}") as watch:
        done = export(table, wanted_kind, path, order, watch)
    show(done, as_json, f"{done.rows:,} rows, {done.bytes:,} bytes: {done.path}")


def _kind(asked: str | None, out: Path | None) -> Format:
    """Raises UnknownFormat, or OtherFormat: a file that is not what its name says opens nowhere."""
    ending = "" if out is None or out.is_dir() else out.suffix[1:]
    named = format_of(ending) if ending and asked is None else None
    if asked is not None and ending.lower() in set(Format) - {asked}:
        raise OtherFormat(name=ending[:40], kind=asked)
    return named or Format(asked or Format.XLSX)


def _target(out: Path | None, settings: Settings, name: str) -> Path:
    if out is None:
        return settings.exports / name
    return out / name if out.is_dir() else out
