"""`stockverify import` brings an ERP's stock list into the book."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from stockverify.cli import options
from stockverify.cli.connect import running_settings
from stockverify.clients import database, open_mongo
from stockverify.settings import Settings
from stockverify.stocklist.columns import COLUMNS, REQUIRED
from stockverify.stocklist.load import StockList, load
from stockverify.stocklist.plan import Plan, plan
from stockverify.stocklist.rejects import write_rejects
from stockverify.stocklist.store import Applied, apply, read_book
from stockverify.stocklist.summary import Summary, as_text, summarise
from stockverify.stocklist.table import Options

_LONG = 5000
_NEEDED = ", ".join(REQUIRED)
_MORE = ", ".join(name for name in COLUMNS if name not in REQUIRED)

_HELP = f"""Bring a stock list into the book, from FILE, a .csv or .xlsx.

The list needs a heading with at least {_NEEDED}; also taken are {_MORE}, under these names or common ones such as SKU,
location, EAN or qty. How numbers and letters are written is found out. A bad row is reported and costs only itself.
Lines that are no longer in the list stay in the book.

\b
Examples:
  stockverify import stock.csv --dry-run
  stockverify import stock.csv --rejects bad-rows.csv
  stockverify import stock.xlsx --sheet March --map item_code=Material --map book_qty="On hand"

Exit code: 0 fine, 1 some rows were rejected or left alone, 2 nothing could be done.
"""


@click.command("import", help=_HELP)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--map", "maps", multiple=True, metavar="OURS=THEIRS", help="Our column is their heading; repeatable.")
@click.option("--encoding", help="Encoding of a CSV file, such as utf-8 or cp1252 (found out if left out).")
@click.option("--delimiter", metavar="CHARACTER", help="comma, semicolon, tab, pipe or the character itself.")
@click.option("--decimal", type=click.Choice([".", ","]), help="What separates the decimals in texts such as 1.234.")
@click.option("--sheet", help="Sheet of a workbook (the first if left out).")
@click.option("--dry-run", is_flag=True, help="Show what would happen and write nothing.")
@click.option("--max-errors", type=click.IntRange(0), default=100, show_default=True, help="Write nothing above it.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Write the bad rows to this CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@options.data_dir
@click.pass_context
def command(
    ctx: click.Context,
    file: Path,
    maps: tuple[str, ...],
    encoding: str | None,
    delimiter: str | None,
    decimal: str | None,
    sheet: str | None,
    dry_run: bool,
    max_errors: int,
    rejects: Path | None,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """Read and check first, so that a bad file is told without a server; then plan, then write."""
    how = Options(columns=_columns(maps), encoding=encoding, delimiter=delimiter, decimal=decimal, sheet=sheet)
    stock = load(file, how)
    if rejects:
        write_rejects(stock, rejects)
    planned, applied = None, None
    if stock.rows.height and len(stock.rejections) <= max_errors:
        settings = running_settings(options.settings(data_dir=data_dir))
        planned, applied = _import(stock, settings, dry_run)
    summary = summarise(file.name, stock, planned, applied)
    click.echo(msgspec.json.format(msgspec.json.encode(summary)).decode() if as_json else as_text(summary))
    ctx.exit(exit_code(summary))


def exit_code(summary: Summary) -> int:
    """2 when there was no plan, 1 when some rows were left out, else 0."""
    if summary.added is None:
        return 2
    return 1 if summary.rejected or summary.overtaken else 0


def _import(stock: StockList, settings: Settings, dry_run: bool) -> tuple[Plan, Applied | None]:
    with open_mongo(settings.mongodb_uri or "") as client:
        store = database(client, settings)
        planned = plan(stock, read_book(store))
        if dry_run:
            return planned, None
        with _progress(planned.writes) as progress:
            return planned, apply(store, planned, datetime.now(UTC), progress)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal for a long list, nothing for a short one or in a pipe."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=total < _LONG or not console.is_terminal) as bar:
        task = bar.add_task("Writing", total=total)
        yield lambda done: bar.update(task, completed=done)


def _columns(maps: tuple[str, ...]) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in maps]
    if wrong := next((whole for whole, pair in zip(maps, pairs, strict=True) if not (pair[0] and pair[2])), None):
        raise click.BadParameter(f"{wrong!r} is not OURS=THEIRS, as in item_code=Material", param_hint="--map")
    return {ours.strip(): theirs for ours, _, theirs in pairs}
