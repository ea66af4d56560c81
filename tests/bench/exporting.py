"""One export, or what it is measured against, in a process of its own: `python -m tests.bench.exporting WHAT FILE OUT`.

Prints the seconds of the work itself and the peak memory of the process in MiB.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import xlsxwriter

from analytics.export import Format, Order, Table, export, of_snapshot
from analytics.export.tables import _read
from analytics.lake import Lake
from stockverify.datasets import POSITIONS
from tests.bench.measured import peak_mib
from tests.bench.stock_rows import NOW

ZONE = "Asia/Kolkata"
_COLUMNS = tuple((column.name, column.type) for column in POSITIONS.columns)


def table(source: Path) -> Table:
    """The rows of a file; or of the newest snapshot of a lake, with the figures and charts that go with it."""
    if source.is_dir():
        lake = Lake(source)
        return of_snapshot(lake, lake.resolve("latest"))
    about = {"dataset": POSITIONS.name, "snapshot_id": "bench", "as_of": NOW, "query": {"collection": POSITIONS.name}}
    rows = pq.read_metadata(source).num_rows
    return Table(POSITIONS.name, _COLUMNS, _read([source]), about, rows, adding=POSITIONS.adding)


def ours(kind: Format) -> Callable[[Path, Path], None]:
    """The export of the product."""

    def work(source: Path, out: Path) -> None:
        export(table(source), kind, out, Order("bench", ZONE, NOW))

    return work


def bare_csv(source: Path, out: Path) -> None:
    """DuckDB's own COPY."""
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(f"SET TimeZone = '{ZONE}'")
        connection.execute(f"COPY (FROM read_parquet('{source}')) TO '{out}' (HEADER)")


def bare_xlsx(source: Path, out: Path) -> None:
    """The shortest loop that writes the same values with xlsxwriter."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet, row = book.add_worksheet(), 0
        for batch in _read([source]):
            for values in batch.with_columns(counted_at=batch["counted_at"].dt.to_string("%F %T")).iter_rows():
                sheet.write_row(row, 0, values)
                row += 1


WORK = {kind.value: ours(kind) for kind in Format} | {"bare-csv": bare_csv, "bare-xlsx": bare_xlsx}

if __name__ == "__main__":
    _, what, source, out = sys.argv
    started = time.perf_counter()
    WORK[what](Path(source), Path(out))
    print(time.perf_counter() - started, peak_mib())
