"""Rounding to the millionth, and sums that are the same whatever adds them up, in whatever order.

Multiplying a double by a million and dividing it again damages large ones: 12345678901.123457 became
12345678901.123455. From 2^33 on the neighbours of a double are further apart than a millionth, so there is nothing to
round. A sum adds up whole units and millionths apart: both are whole numbers, which doubles add up without any error as
long as they stay below 2^53 (docs/decisions/0028).
"""

import math

import polars as pl

MILLION = 1_000_000
"""So many millionths are a unit; live queries and those on snapshots add up millionths, too."""
NO_MILLIONTHS = 2.0**33
_TOGETHER = 2.0**32
"""Below so many units the whole sum in millionths is an exact double, which one division rounds once. Units and rest
apart are rounded twice: 1.0 + 0.14 is 1.1400000000000001."""


def rounded(number: pl.Expr) -> pl.Expr:
    """A number to the millionth."""
    return pl.when(number.abs() < NO_MILLIONTHS).then(number.round(6)).otherwise(number)


def summed(number: pl.Expr) -> pl.Expr:
    """The sum of a column's millionths, as the double next to it; 0.0 of nothing."""
    return joined(*parts(number))


def joined(units: pl.Expr, rest: pl.Expr) -> pl.Expr:
    """The sum of which these are the parts."""
    # By a number alone Polars does not divide: it multiplies by the inverse, and 541695.666316 comes out a little less.
    million = units * 0.0 + MILLION
    carried = (rest / million).floor()
    large = units + carried + (rest - carried * MILLION) / million
    together = pl.when(units.abs() < _TOGETHER).then((units * MILLION + rest) / million)
    # Adding 0.0 turns a sum of -0.0 into 0.0.
    return together.when(units.is_finite()).then(large).otherwise(units) + 0.0


def parts(number: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The whole units of a column and the millionths beside them, each added up; `total` puts them together."""
    units, rest = split(number)
    return units.sum(), rest.sum()


def split(number: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Whole units and the millionths beside them, of each number."""
    double = number.cast(pl.Float64)
    return double.floor(), ((double - double.floor()) * MILLION + 0.5).floor()


def total(units: float, rest: float) -> float:
    """The sum of which these are the parts, as `summed` gives it of all rows at once."""
    if abs(units) < _TOGETHER:
        return (units * MILLION + rest) / MILLION + 0.0
    if not math.isfinite(units):
        return units
    carried = math.floor(rest / MILLION)
    return units + carried + (rest - carried * MILLION) / MILLION + 0.0


def rounded_sql(number: str) -> str:
    """The same as `rounded`, in DuckDB's words."""
    return f"CASE WHEN abs({number}) < {NO_MILLIONTHS:.0f} THEN round({number}, 6) ELSE {number} END"


def summed_sql(number: str, only: str = "") -> str:
    """The same as `summed`, in DuckDB's words, but null of nothing; `only` is a condition on the rows."""
    chosen = f" FILTER ({only})" if only else ""
    whole = f"floor(({number})::DOUBLE)"
    units = f"sum({whole}){chosen}"
    rest = f"sum(floor((({number})::DOUBLE - {whole}) * {MILLION}::DOUBLE + 0.5::DOUBLE)){chosen}"
    carried = f"floor({rest} / {MILLION})"
    large = f"{units} + {carried} + ({rest} - {carried} * {MILLION}) / {MILLION}"
    together = f"({units} * {MILLION} + {rest}) / {MILLION}"
    cases = f"WHEN abs({units}) < {_TOGETHER:.0f} THEN {together} WHEN isfinite({units}) THEN {large}"
    return f"(CASE {cases} ELSE {units} END + 0.0::DOUBLE)"
