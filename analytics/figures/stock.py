"""The figures over positions: how far the count is, and how the stock stands against the book.

Shares are null when there is nothing to take a share of.
"""

import polars as pl
from msgspec import Struct

from analytics.figures.declared import EXACT, Figure, Tolerance
from analytics.millionths import rounded, summed

_NUMBERS = ("unit_cost", "book_qty", "verified_qty", "damage_qty", "variance_qty", "variance_value")
_OURS = "docs/glossary.md"
_COST = "docs/decisions/0046"
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
    uncosted_lines: int
    uncosted_units: float
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


_COUNTED = pl.col("counted")
_VALUE = pl.col("variance_value")


def _valued(quantity: str) -> pl.Expr:
    return pl.when(_VALUE.is_not_null()).then(pl.col(quantity) * pl.col("unit_cost"))


AMOUNTS: dict[str, pl.Expr] = {
    "book_units": pl.col("book_qty"),
    "verified_units": pl.col("verified_qty"),
    "net_variance_units": pl.col("variance_qty"),
    "gross_variance_units": pl.col("variance_qty").abs(),
    "book_value": _valued("book_qty"),
    "verified_value": _valued("verified_qty"),
    "net_variance_value": _VALUE,
    "gross_variance_value": _VALUE.abs(),
    "shrinkage_value": -_VALUE,
    "uncosted_units": pl.when(_VALUE.is_null()).then(pl.col("variance_qty").abs()),
    "damage_units": pl.col("damage_qty"),
    "value_size": _valued("book_qty").abs(),
    "value_off": pl.when(~pl.col("within")).then(_VALUE.abs()),
}
"""What each counted line, as `prepared` gives it, adds to a figure; the last two are only parts of shares."""
LINES: dict[str, pl.Expr] = {
    "lines": pl.lit(value=True),
    "counted_lines": _COUNTED,
    "recounted_lines": _COUNTED & (pl.col("round") > 1),
    "uncosted_lines": _COUNTED & _VALUE.is_null(),
    "right_lines": _COUNTED & pl.col("within"),
}
"""Which lines a figure counts; the last one is only a part of a share."""


def amount(name: str) -> pl.Expr:
    """What a line adds: nothing unless it is counted."""
    return pl.when(_COUNTED).then(AMOUNTS[name])


def _sum(name: str) -> pl.Expr:
    return summed(amount(name))


def _lines(name: str) -> pl.Expr:
    return LINES[name].sum().cast(pl.Int64)


def _share(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))


STOCK: tuple[Figure, ...] = (
    Figure("lines", "Lines", "lines", "number of positions", _OURS, "neither", pl.len().cast(pl.Int64)),
    Figure(
        "counted_lines",
        "Counted lines",
        "lines",
        "positions with a finalized count",
        _OURS,
        "more",
        _lines("counted_lines"),
    ),
    Figure("progress", "Progress", "share", "counted lines / lines", _OURS, "more", _share("counted_lines", "lines")),
    Figure(
        "book_units",
        "Book",
        "units",
        "sum of book quantities of counted lines",
        _OURS,
        "neither",
        _sum("book_units"),
    ),
    Figure(
        "verified_units", "Verified", "units", "sum of verified quantities", _OURS, "neither", _sum("verified_units")
    ),
    Figure(
        "net_variance_units",
        "Net variance",
        "units",
        "sum of (verified - book) of counted lines: what is missing and what is in excess cancel out",
        _OURS,
        "neither",
        _sum("net_variance_units"),
    ),
    Figure(
        "gross_variance_units",
        "Gross variance",
        "units",
        "sum of |verified - book| of counted lines: nothing cancels out",
        _ABSOLUTE,
        "less",
        _sum("gross_variance_units"),
    ),
    Figure(
        "book_value",
        "Book value",
        "value",
        "sum of book quantity x unit cost of counted lines that have a cost",
        _OURS,
        "neither",
        _sum("book_value"),
    ),
    Figure(
        "verified_value",
        "Verified value",
        "value",
        "sum of verified quantity x unit cost of counted lines that have a cost",
        _OURS,
        "neither",
        _sum("verified_value"),
    ),
    Figure(
        "net_variance_value",
        "Net variance value",
        "value",
        "sum of (verified - book) x unit cost of counted lines that have a cost",
        _OURS,
        "neither",
        _sum("net_variance_value"),
    ),
    Figure(
        "gross_variance_value",
        "Gross variance value",
        "value",
        "sum of |verified - book| x unit cost of counted lines that have a cost",
        _ABSOLUTE,
        "less",
        _sum("gross_variance_value"),
    ),
    Figure(
        "shrinkage_value",
        "Shrinkage",
        "value",
        "book value - verified value of counted lines that have a cost: what is missing, less what was found in excess",
        _RETAIL,
        "less",
        _sum("shrinkage_value"),
    ),
    Figure(
        "shrinkage_rate",
        "Shrinkage rate",
        "share",
        "shrinkage / book value; below 0 when more was found than is missing, null unless the book value is above 0",
        _RETAIL,
        "less",
        _share("shrinkage_value", "book_value"),
    ),
    Figure(
        "uncosted_lines",
        "Lines without a cost",
        "lines",
        "counted lines that have no cost: no value tells of them",
        _COST,
        "less",
        _lines("uncosted_lines"),
    ),
    Figure(
        "uncosted_units",
        "Variance without a cost",
        "units",
        "sum of |verified - book| of counted lines that have no cost: no value tells of it",
        _COST,
        "less",
        _sum("uncosted_units"),
    ),
    Figure("damage_units", "Damaged", "units", "sum of damaged units", _OURS, "less", _sum("damage_units")),
    Figure(
        "damage_rate",
        "Damage rate",
        "share",
        "damaged units / verified units",
        _OURS,
        "less",
        _share("damage_units", "verified_units"),
    ),
    Figure(
        "accuracy",
        "Accuracy",
        "share",
        "counted lines whose |verified - book| is within the tolerance / counted lines; the tolerance is the larger of "
        "TOLERANCE_UNITS and TOLERANCE_SHARE x |book|, and 0 unless they are set",
        _GOOD_COUNTS,
        "more",
        _share("right_lines", "counted_lines"),
    ),
    Figure(
        "accuracy_by_value",
        "Accuracy by value",
        "share",
        "1 - (gross variance value of lines outside the tolerance / sum of |book| x unit cost), of counted lines that "
        "have a cost; not below 0",
        _VITASEK,
        "more",
        pl.when(pl.col("value_size") > 0).then(
            (pl.col("value_size") - pl.col("value_off")).clip(0.0) / pl.col("value_size")
        ),
    ),
    Figure(
        "recounted_lines",
        "Recounted lines",
        "lines",
        "counted lines whose count is of round 2 or later",
        _OURS,
        "neither",
        _lines("recounted_lines"),
    ),
    Figure(
        "recount_rate",
        "Recount rate",
        "share",
        "recounted lines / counted lines",
        _OURS,
        "less",
        _share("recounted_lines", "counted_lines"),
    ),
)
