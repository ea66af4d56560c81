"""Figures of groups, in one pass over the positions: the parts of all sums first, which are whole numbers and so add up
without error in any order; figures of coarser groups and of the whole come from these parts."""

import polars as pl

from analytics.figures.declared import EXACT, Tolerance
from analytics.figures.stock import AMOUNTS, LINES, STOCK, Totals, amount, prepared
from analytics.millionths import joined, split

_UNITS, _REST = ".units", ".millionths"
_NAMES = [figure.name for figure in STOCK]
_SHARES = [
    figure.value.alias(figure.name) for figure in STOCK if figure.unit == "share" and isinstance(figure.value, pl.Expr)
]
_ADDED = pl.col(*LINES, *(name + half for half in (_UNITS, _REST) for name in AMOUNTS)).sum()


def totals(positions: pl.LazyFrame, tolerance: Tolerance = EXACT) -> Totals:
    """The figures of all the positions."""
    return totals_of_parts(parts(positions, tolerance=tolerance))


def grouped(positions: pl.LazyFrame, *by: str, tolerance: Tolerance = EXACT) -> pl.DataFrame:
    """The figures of each group, sorted by group; null sorts first."""
    return grouped_parts(parts(positions, *by, tolerance=tolerance), *by)


def parts(positions: pl.LazyFrame, *by: str, tolerance: Tolerance = EXACT) -> pl.DataFrame:
    """The sums of each group in their parts, from which the figures of these groups, and of coarser ones, can be made.

    What a line adds is worked out before lines are put together: within groups it would cost three times as much.
    """
    rows = prepared(positions, tolerance).select(*by, *_cells())
    return (rows.group_by(by).agg(_ADDED) if by else rows.select(_ADDED)).collect(engine="streaming")


def coarser(found: pl.DataFrame, *by: str) -> pl.DataFrame:
    """The sums of coarser groups, in their parts, sorted by group."""
    return found.group_by(by).agg(_ADDED).sort(by)


def grouped_parts(found: pl.DataFrame, *by: str) -> pl.DataFrame:
    """The figures of groups that are as fine as those of the parts, or coarser."""
    return _figures(found.group_by(by).agg(_ADDED), *by).sort(by)


def totals_of_parts(found: pl.DataFrame) -> Totals:
    """The figures of all of it."""
    return Totals(**_figures(found.select(_ADDED)).row(0, named=True))


def _cells() -> list[pl.Expr]:
    """What each line adds to each part of each sum."""
    lines = [each.cast(pl.Int64).alias(name) for name, each in LINES.items()]
    halves = {name: split(amount(name)) for name in AMOUNTS}
    return [
        *lines,
        *(units.alias(name + _UNITS) for name, (units, _) in halves.items()),
        *(rest.alias(name + _REST) for name, (_, rest) in halves.items()),
    ]


def _figures(sums: pl.DataFrame, *by: str) -> pl.DataFrame:
    amounts = [joined(pl.col(name + _UNITS), pl.col(name + _REST)).alias(name) for name in AMOUNTS]
    return sums.select(*by, *LINES, *amounts).with_columns(_SHARES).select(*by, *_NAMES)
