"""From a file to a checked stock list: the one call that the command line, the service and the dashboard make."""

from pathlib import Path

import msgspec
import polars as pl

from stockverify.stocklist.amounts import Mark
from stockverify.stocklist.check import Rejection, check
from stockverify.stocklist.columns import match
from stockverify.stocklist.read import read
from stockverify.stocklist.table import Facts, Options, Table


class StockList(msgspec.Struct, frozen=True, kw_only=True):
    """A checked list. `rows` has `line` and our columns as far as the file has them; `bad_rows` texts."""

    rows: pl.DataFrame
    bad_rows: pl.DataFrame
    rejections: tuple[Rejection, ...]
    heading: tuple[str, ...]
    columns: dict[str, str]
    marks: dict[str, Mark]
    facts: Facts

    @property
    def ignored(self) -> tuple[str, ...]:
        """Headings of the file that no column of ours takes."""
        return tuple(name for name in self.heading if name not in self.columns.values())

    @property
    def rows_read(self) -> int:
        """Good and rejected rows; blank lines and the heading are none."""
        return len(self.rows) + len(self.rejections)


def load(source: Path | bytes, options: Options = Options()) -> StockList:  # noqa: B008 - it is frozen
    """Read and check a stock list. Nothing is written; a file that cannot be read at all raises a StockVerifyError."""
    return checked_list(read(source, options), options)


def checked_list(table: Table, options: Options) -> StockList:
    """The same for a table that was read already."""
    places = match(table.heading, options.columns, guess=options.guess)
    checked = check(table, places, options.decimal)
    bad_lines = pl.Series([rejection.line for rejection in checked.rejections], dtype=pl.Int64)
    texts = [f"text{place}" for place in range(len(table.heading))]
    return StockList(
        rows=checked.rows,
        bad_rows=table.frame.filter(pl.col("line").is_in(bad_lines.implode())).select("line", *texts),
        rejections=checked.rejections,
        heading=table.heading,
        columns={ours: table.heading[place] for ours, place in places.items()},
        marks=checked.marks,
        facts=table.facts,
    )
