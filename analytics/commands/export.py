"""`export`"""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from analytics.commands.shared import as_json_option, counting, dataset_option, settings, show
from analytics.export import Format, Order, export, of_snapshot
from analytics.figures import tolerance_of
from analytics.lake import Lake
from stockverify.settings import Settings


@click.command("export")
@click.argument("snapshot_id", metavar="[SNAPSHOT]", default="latest")
@click.option("--format", "kind", type=click.Choice([str(kind) for kind in Format]), default="xlsx", show_default=True)
@dataset_option
@click.option("--bom/--no-bom", default=True, help="Mark a CSV file as UTF-8, which Excel needs (default: yes).")
@click.option("--out", type=click.Path(path_type=Path), help="File or folder (default: exports in the data directory).")
@as_json_option
def command(snapshot_id: str, kind: str, dataset: str, bom: bool, out: Path | None, as_json: bool) -> None:
    """Write SNAPSHOT (the latest) as a file, with a manifest beside it that says where its numbers come from.
    Ctrl-C ends it and leaves nothing behind.

    \b
    Examples:
      stockverify export latest --format xlsx
      stockverify export previous --format csv --dataset records --out counts.csv
      stockverify export latest --format pdf --out stock.pdf
    """
    chosen = settings()
    lake = Lake(chosen.lake)
    wanted = lake.resolve(snapshot_id)
    table = of_snapshot(lake, wanted, dataset, tolerance_of(chosen))
    path = _target(out, chosen, f"{table.name}-{wanted}.{kind}")
    order = Order(os.environ.get("USER", "command line"), chosen.time_zone, datetime.now(UTC), bom, chosen.currency)
    with counting(f"Writing {path.name}") as watch:
        done = export(table, Format(kind), path, order, watch)
    show(done, as_json, f"{done.rows:,} rows, {done.bytes:,} bytes: {done.path}")


def _target(out: Path | None, settings: Settings, name: str) -> Path:
    if out is None:
        return settings.exports / name
    return out / name if out.is_dir() else out
