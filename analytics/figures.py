"""What the stock figures mean. Page, chart, comparison and file take them from here, so that they agree.

All are computed over positions. Shares are between 0 and 1, and null when there is nothing to take a share of.
"""

from typing import NamedTuple

import polars as pl
from msgspec import Struct

from analytics.lake import Freeze, Lake
from stockverify.datasets import POSITIONS

_COUNTED = pl.col("counted")
_MILLIONTH = 6


class Figure(NamedTuple):
    """One figure: its column, heading, unit (lines, units, value or share), formula, and how it is computed."""

    name: str
    title: str
    unit: str
    formula: str
    value: pl.Expr


class Totals(Struct, frozen=True, kw_only=True):
    """The figures of one set of positions; FIGURES says what each means."""

    lines: int
    counted_lines: int
    progress: float | None
    book_units: float
    verified_units: float
    net_variance_units: float
    gross_variance_units: float
    net_variance_value: float
    gross_variance_value: float
    shrinkage_value: float
    damage_units: float
    damage_rate: float | None
    accuracy: float | None


class Overview(Struct, frozen=True):
    """One snapshot at a glance. The frames have the group's columns and then one column per figure, sorted by group."""

    freeze: Freeze
    totals: Totals
    by_floor: pl.DataFrame
    by_rack: pl.DataFrame
    by_category: pl.DataFrame


def _sum(of: pl.Expr) -> pl.Expr:
    # Adding 0.0 turns a sum of -0.0 into 0.0.
    return of.filter(_COUNTED).sum().round(_MILLIONTH) + 0.0


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole != 0).then(part / whole)


_UNITS, _VALUE, _DAMAGE = pl.col("variance_qty"), pl.col("variance_value"), pl.col("damage_qty")
_LINES = pl.len().cast(pl.Int64)
_COUNTED_LINES = _COUNTED.sum().cast(pl.Int64)
_VERIFIED = _sum(pl.col("verified_qty"))

FIGURES: tuple[Figure, ...] = (
    Figure("lines", "Lines", "lines", "number of positions", _LINES),
    Figure("counted_lines", "Counted lines", "lines", "positions with a finalized count", _COUNTED_LINES),
    Figure("progress", "Progress", "share", "counted lines / lines", _share(_COUNTED_LINES, _LINES)),
    Figure("book_units", "Book", "units", "sum of book quantities of counted lines", _sum(pl.col("book_qty"))),
    Figure("verified_units", "Verified", "units", "sum of verified quantities", _VERIFIED),
    Figure("net_variance_units", "Net variance", "units", "sum of (verified - book) of counted lines", _sum(_UNITS)),
    Figure(
        "gross_variance_units",
        "Gross variance",
        "units",
        "sum of |verified - book| of counted lines",
        _sum(_UNITS.abs()),
    ),
    Figure(
        "net_variance_value",
        "Net variance value",
        "value",
        "sum of (verified - book) x unit cost of counted lines that have a cost",
        _sum(_VALUE),
    ),
    Figure(
        "gross_variance_value",
        "Gross variance value",
        "value",
        "sum of |verified - book| x unit cost of counted lines that have a cost",
        _sum(_VALUE.abs()),
    ),
    Figure(
        "shrinkage_value",
        "Shrinkage",
        "value",
        "book value - verified value of counted lines that have a cost: what is missing, less what was found in excess",
        _sum(-_VALUE),
    ),
    Figure("damage_units", "Damaged", "units", "sum of damaged units", _sum(_DAMAGE)),
    Figure("damage_rate", "Damage rate", "share", "damaged units / verified units", _share(_sum(_DAMAGE), _VERIFIED)),
    Figure(
        "accuracy",
        "Accuracy",
        "share",
        "counted lines without variance / counted lines",
        _share(((_UNITS == 0) & _COUNTED).sum(), _COUNTED_LINES),
    ),
)


def totals(positions: pl.LazyFrame) -> Totals:
    """The figures of all the positions."""
    return Totals(**positions.select(*_columns()).collect().row(0, named=True))


def grouped(positions: pl.LazyFrame, *by: str) -> pl.DataFrame:
    """The figures of each group, sorted by group; null sorts first."""
    return positions.group_by(by).agg(*_columns()).sort(by).collect()


def overview(lake: Lake, snapshot_id: str) -> Overview:
    """The figures of a snapshot. Raises what the lake raises for an unknown or damaged snapshot."""
    positions = pl.scan_parquet(lake.files(POSITIONS.name, snapshot_id), glob=False)
    return Overview(
        freeze=lake.freeze(snapshot_id),
        totals=totals(positions),
        by_floor=grouped(positions, "floor"),
        by_rack=grouped(positions, "floor", "rack_id"),
        by_category=grouped(positions, "category"),
    )


def _columns() -> list[pl.Expr]:
    return [figure.value.alias(figure.name) for figure in FIGURES]
