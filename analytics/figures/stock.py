"""The figures over positions: how far the count is, and how the stock stands against the book.

Shares are null when there is nothing to take a share of.
"""

import polars as pl
from msgspec import Struct

from analytics.figures.declared import EXACT, Figure, Tolerance
from analytics.millionths import rounded, summed

_NUMBERS = ("unit_cost", "book_qty", "verified_qty", "damage_qty", "variance_qty", "variance_value")
_OURS = "docs/glossary.md"
_ABSOLUTE = "docs/glossary.md; elsewhere also called absolute variance"
_GOOD_COUNTS = "Piasecki, Inventory Accuracy Measurement, inventoryops.com: good counts / counts, with tolerances"
_VITASEK = "after Vitasek: 1 - sum of absolute variances / sum of the perpetual inventory, in units or in value"
_RETAIL = "retail accounting: book inventory less physical inventory, at cost"


class Totals(Struct, frozen=True, kw_only=True):
    """The figures of one set of positions; STOCK says what each means."""

    lines: int
    counted_lines: int
    progress: float | None
    book_units: float
    verified_units: float
    net_variance_units: float
    gross_variance_units: float
    book_value: float
    verified_value: float
    net_variance_value: float
    gross_variance_value: float
    shrinkage_value: float
    shrinkage_rate: float | None
    damage_units: float
    damage_rate: float | None
    accuracy: float | None
    accuracy_by_value: float | None
    recounted_lines: int
    recount_rate: float | None


def prepared(positions: pl.LazyFrame, tolerance: Tolerance = EXACT) -> pl.LazyFrame:
    """Positions as the figures want them. What is no number is null, for one NaN or infinity in a sum is all that is
    left of it. `within` says whether a line is right within the tolerance."""
    allowed = rounded(pl.max_horizontal(tolerance.units, pl.col("book_qty").abs() * tolerance.share))
    return positions.with_columns(
        pl.col("counted").fill_null(False), *(pl.when(pl.col(name).is_finite()).then(name) for name in _NUMBERS)
    ).with_columns(within=(pl.col("variance_qty").abs() <= allowed).fill_null(False))


def _sum(of: pl.Expr) -> pl.Expr:
    return summed(of.filter(_COUNTED))


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(part / whole)


def _lines(which: pl.Expr) -> pl.Expr:
    return which.sum().cast(pl.Int64)


_COUNTED = pl.col("counted")
_UNITS, _VALUE, _DAMAGE = pl.col("variance_qty"), pl.col("variance_value"), pl.col("damage_qty")
_ALL = pl.len().cast(pl.Int64)
_COUNTED_LINES = _lines(_COUNTED)
_RECOUNTED = _lines(_COUNTED & (pl.col("round") > 1))
_VERIFIED = _sum(pl.col("verified_qty"))


def _valued(quantity: str) -> pl.Expr:
    return pl.when(_VALUE.is_not_null()).then(pl.col(quantity) * pl.col("unit_cost"))


_BOOK_VALUE = _sum(_valued("book_qty"))
_SIZE = _sum(_valued("book_qty").abs())
_OFF = _sum(pl.when(~pl.col("within")).then(_VALUE.abs()))

STOCK: tuple[Figure, ...] = (
    Figure("lines", "Lines", "lines", "number of positions", _OURS, "neither", _ALL),
    Figure(
        "counted_lines", "Counted lines", "lines", "positions with a finalized count", _OURS, "more", _COUNTED_LINES
    ),
    Figure("progress", "Progress", "share", "counted lines / lines", _OURS, "more", _share(_COUNTED_LINES, _ALL)),
    Figure(
        "book_units",
        "Book",
        "units",
        "sum of book quantities of counted lines",
        _OURS,
        "neither",
        _sum(pl.col("book_qty")),
    ),
    Figure("verified_units", "Verified", "units", "sum of verified quantities", _OURS, "neither", _VERIFIED),
    Figure(
        "net_variance_units",
        "Net variance",
        "units",
        "sum of (verified - book) of counted lines: what is missing and what is in excess cancel out",
        _OURS,
        "neither",
        _sum(_UNITS),
    ),
    Figure(
        "gross_variance_units",
        "Gross variance",
        "units",
        "sum of |verified - book| of counted lines: nothing cancels out",
        _ABSOLUTE,
        "less",
        _sum(_UNITS.abs()),
    ),
    Figure(
        "book_value",
        "Book value",
        "value",
        "sum of book quantity x unit cost of counted lines that have a cost",
        _OURS,
        "neither",
        _BOOK_VALUE,
    ),
    Figure(
        "verified_value",
        "Verified value",
        "value",
        "sum of verified quantity x unit cost of counted lines that have a cost",
        _OURS,
        "neither",
        _sum(_valued("verified_qty")),
    ),
    Figure(
        "net_variance_value",
        "Net variance value",
        "value",
        "sum of (verified - book) x unit cost of counted lines that have a cost",
        _OURS,
        "neither",
        _sum(_VALUE),
    ),
    Figure(
        "gross_variance_value",
        "Gross variance value",
        "value",
        "sum of |verified - book| x unit cost of counted lines that have a cost",
        _ABSOLUTE,
        "less",
        _sum(_VALUE.abs()),
    ),
    Figure(
        "shrinkage_value",
        "Shrinkage",
        "value",
        "book value - verified value of counted lines that have a cost: what is missing, less what was found in excess",
        _RETAIL,
        "less",
        _sum(-_VALUE),
    ),
    Figure(
        "shrinkage_rate",
        "Shrinkage rate",
        "share",
        "shrinkage / book value; below 0 when more was found than is missing, null unless the book value is above 0",
        _RETAIL,
        "less",
        _share(_sum(-_VALUE), _BOOK_VALUE),
    ),
    Figure("damage_units", "Damaged", "units", "sum of damaged units", _OURS, "less", _sum(_DAMAGE)),
    Figure(
        "damage_rate",
        "Damage rate",
        "share",
        "damaged units / verified units",
        _OURS,
        "less",
        _share(_sum(_DAMAGE), _VERIFIED),
    ),
    Figure(
        "accuracy",
        "Accuracy",
        "share",
        "counted lines whose |verified - book| is within the tolerance / counted lines; the tolerance is the larger of "
        "TOLERANCE_UNITS and TOLERANCE_SHARE x |book|, and 0 unless they are set",
        _GOOD_COUNTS,
        "more",
        _share(_lines(_COUNTED & pl.col("within")), _COUNTED_LINES),
    ),
    Figure(
        "accuracy_by_value",
        "Accuracy by value",
        "share",
        "1 - (gross variance value of lines outside the tolerance / sum of |book| x unit cost), of counted lines that "
        "have a cost; not below 0",
        _VITASEK,
        "more",
        _share((_SIZE - _OFF).clip(0.0), _SIZE),
    ),
    Figure(
        "recounted_lines",
        "Recounted lines",
        "lines",
        "counted lines whose count is of round 2 or later",
        _OURS,
        "neither",
        _RECOUNTED,
    ),
    Figure(
        "recount_rate",
        "Recount rate",
        "share",
        "recounted lines / counted lines",
        _OURS,
        "less",
        _share(_RECOUNTED, _COUNTED_LINES),
    ),
)


def totals(positions: pl.LazyFrame, tolerance: Tolerance = EXACT) -> Totals:
    """The figures of all the positions."""
    row = prepared(positions, tolerance).select(*_columns()).collect().row(0, named=True)
    return Totals(**row)


def grouped(positions: pl.LazyFrame, *by: str, tolerance: Tolerance = EXACT) -> pl.DataFrame:
    """The figures of each group, sorted by group; null sorts first."""
    return prepared(positions, tolerance).group_by(by).agg(*_columns()).sort(by).collect()


def _columns() -> list[pl.Expr]:
    return [figure.value.alias(figure.name) for figure in STOCK if isinstance(figure.value, pl.Expr)]
