"""Compares a checked list with the book: what would be added, changed or left alone. Pure."""

import hashlib
from typing import NamedTuple

import polars as pl

from stockverify.datasets import ITEMS
from stockverify.stocklist.columns import COLUMNS
from stockverify.stocklist.load import StockList

KEY = list(ITEMS.key)
VALUED = ("book_qty", "unit_cost")

BOOK_SCHEMA: dict[str, pl.DataType] = {
    **{name: pl.Float64() if name in ("unit_cost", "mrp", "book_qty") else pl.String() for name in COLUMNS},
    "valid_from": pl.Datetime("ms", "UTC"),
}
RACK_SCHEMA: dict[str, pl.DataType] = {"rack_id": pl.String(), "floor": pl.String(), "item_count": pl.Int64()}


class Book(NamedTuple):
    """What is stored: the lines (BOOK_SCHEMA) and the racks (RACK_SCHEMA)."""

    lines: pl.DataFrame
    racks: pl.DataFrame


class Plan(NamedTuple):
    """What an import would do.

    `added` and `changed` have `line`, the key and the columns of the list; `changed` also has what is stored, as
    `stored_*`, and `revalued`: whether the book quantity or the unit cost differs. `new_racks` and `changed_racks`
    have the columns of RACK_SCHEMA.
    """

    columns: tuple[str, ...]
    added: pl.DataFrame
    changed: pl.DataFrame
    unchanged: int
    no_longer_listed: int
    new_racks: pl.DataFrame
    changed_racks: pl.DataFrame

    @property
    def writes(self) -> int:
        """Lines and racks that would be written."""
        return len(self.added) + len(self.changed) + len(self.new_racks) + len(self.changed_racks)


def plan(stock: StockList, book: Book) -> Plan:
    """What an import of this list into this book would do.

    A column that the list lacks leaves what is stored; a line that it lacks stays in the book and is only counted.
    """
    columns = tuple(stock.columns)
    rows = stock.rows if "bin" in columns else stock.rows.with_columns(bin=pl.lit(""))
    stored = book.lines.rename({name: f"stored_{name}" for name in BOOK_SCHEMA if name not in KEY})
    joined = rows.join(stored.with_columns(known=True), on=KEY, how="left", maintain_order="left")
    known = joined.filter(pl.col("known").is_not_null()).drop("known")
    compared = [name for name in columns if name not in KEY]
    changed = known.filter(pl.any_horizontal(_differs(name) for name in compared)).with_columns(
        revalued=pl.any_horizontal(_differs(name) for name in compared if name in VALUED)
    )
    new_racks, changed_racks = _racks(rows, book)
    return Plan(
        columns=columns,
        added=joined.filter(pl.col("known").is_null()).select(rows.columns),
        changed=changed,
        unchanged=len(known) - len(changed),
        no_longer_listed=len(book.lines) - len(known),
        new_racks=new_racks,
        changed_racks=changed_racks,
    )


def fingerprint(planned: Plan) -> str:
    """SHA-256, in hex, over what a plan would do to which stored lines: another one once the book has changed in a way
    that matters to it."""
    before = [f"stored_{name}" for name in planned.columns if name not in KEY]
    seen = hashlib.sha256(f"{planned.unchanged} {planned.no_longer_listed}".encode())
    for rows in (planned.added, planned.changed.select("line", "stored_valid_from", *before, *planned.columns)):
        seen.update(rows.write_csv(float_precision=None).encode())
    return seen.hexdigest()


def _differs(name: str) -> pl.Expr:
    return pl.col(name).ne_missing(pl.col(f"stored_{name}"))


def _racks(rows: pl.DataFrame, book: Book) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Racks of the list that do not exist, and those whose floor or number of lines in the book differs."""
    floor = pl.col("floor").first() if "floor" in rows.columns else pl.lit(None, pl.String).alias("floor").first()
    listed = rows.group_by("rack_id", maintain_order=True).agg(floor)
    lines = pl.concat([book.lines.select(KEY), rows.select(KEY)]).unique().group_by("rack_id").len("item_count")
    after = listed.join(lines.cast({"item_count": pl.Int64}), on="rack_id", how="left", maintain_order="left")
    stored = book.racks.rename({"floor": "stored_floor", "item_count": "stored_item_count"})
    joined = after.join(stored.with_columns(known=True), on="rack_id", how="left", maintain_order="left")
    joined = joined.with_columns(pl.coalesce("floor", "stored_floor", pl.lit("")).alias("floor"))
    differs = pl.any_horizontal(_differs("floor"), _differs("item_count"))
    new = joined.filter(pl.col("known").is_null()).select(*RACK_SCHEMA)
    return new, joined.filter(pl.col("known") & differs).select(*RACK_SCHEMA)
