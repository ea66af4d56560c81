"""Why a total moved: how much of its change comes from each floor, category, counter or item. Pure: frames in."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, localcontext
from typing import NamedTuple

import polars as pl
from msgspec import Struct

from analytics.compare.summary import Change, change
from analytics.figures import FIGURES
from analytics.figures.stock import prepared
from analytics.millionths import rounded, summed
from stockverify.datasets import POSITIONS, Dataset, Type
from stockverify.errors import BadInput

LIMIT = 10
BY = ("floor", "rack_id", "category", "subcategory", "counted_by", "item_code")
"""What the totals of positions can be divided by; other datasets by any of their texts."""
_MILLIONTH = Decimal("0.000001")
_WIDE = Context(prec=340)  # any double, to a millionth


class UnknownTotal(BadInput):
    """{total!r} is no total of {dataset} that adds up; use one of: {known}."""


class UnknownPart(BadInput):
    """The totals of {dataset} cannot be divided by {by!r}; use one of: {known}."""


class NotSummable(BadInput):
    """The total {total} has no change that could be divided: it goes from {baseline} to {comparison}."""


class Contribution(Struct, frozen=True):
    """One group's part in the change: its share of the total on both sides, 0 where it has no rows. Null as a group
    means rows that name none, such as lines that nobody counted when divided by counter."""

    group: str | None
    baseline: float
    comparison: float
    change: float


class Rest(Struct, frozen=True):
    """All other groups together, and what rounding each shown one to a millionth left over."""

    groups: int
    change: float


class Contributions(Struct, frozen=True, kw_only=True):
    """The change of a total, divided. The changes of `parts`, largest first whatever their sign, and of `other` add up
    exactly to `change.absolute_diff` in decimal arithmetic."""

    total: str
    by: str
    change: Change
    parts: list[Contribution]
    other: Rest


class Divisible(NamedTuple):
    """Rows of one kind: the totals that are sums over them, each with how it is computed, and the columns by which
    these can be divided."""

    name: str
    figures: Mapping[str, pl.Expr]
    parts: Sequence[str]
    prepare: Callable[[pl.LazyFrame], pl.LazyFrame] = pl.LazyFrame.lazy


def contributions(
    rows: Divisible, before: pl.LazyFrame, after: pl.LazyFrame, total: str, by: str, limit: int = LIMIT
) -> Contributions:
    """Divide the change of one total among the values of a column.

    A row counts for its group on its own side: a line that another counter counted again takes its old share away from
    the first and adds its new one to the second. Added and removed rows are groups' rows as any other. Units are those
    of the total. Raises UnknownTotal, UnknownPart or NotSummable.
    """
    if total not in rows.figures:
        raise UnknownTotal(dataset=rows.name, total=total[:80], known=", ".join(rows.figures))
    if by not in rows.parts:
        raise UnknownPart(dataset=rows.name, by=by[:80], known=", ".join(rows.parts))
    figure, before, after = rows.figures[total], rows.prepare(before), rows.prepare(after)
    whole = change(*(float(side.select(figure.alias("sum")).collect().item() or 0) for side in (before, after)))
    if not abs(whole.absolute_diff) < float("inf"):
        raise NotSummable(total=total, baseline=whole.baseline, comparison=whole.comparison)
    moved = _moved(before, after, figure, by)
    shown = [Contribution(*row) for row in moved.head(limit).select(_SHOWN).iter_rows()]
    rest = Rest(moved.height - len(shown), _left(whole.absolute_diff, [part.change for part in shown]))
    return Contributions(total=total, by=by, change=whole, parts=shown, other=rest)


def of_dataset(dataset: Dataset) -> Divisible:
    """The totals of a whole dataset, as its comparison's summary names them, without those that are no sums."""
    if dataset == POSITIONS:
        figures = {
            figure.name: figure.value for figure in FIGURES if isinstance(figure.value, pl.Expr) and figure.adds_up
        }
        return Divisible(dataset.name, figures, BY, prepared)
    sums = {f"{name}_sum": summed(pl.col(name)) for name in dataset.adding}
    texts = [column.name for column in dataset.columns if column.type is Type.STRING]
    return Divisible(dataset.name, {"rows": pl.len().cast(pl.Int64), **sums}, texts)


_SHOWN = ("group", "baseline", "comparison", "change")


def _moved(before: pl.LazyFrame, after: pl.LazyFrame, figure: pl.Expr, by: str) -> pl.DataFrame:
    """One row per group that moved, with its sums on both sides, the largest change first."""
    sums = [
        side.group_by(pl.col(by).alias("group")).agg(figure.cast(pl.Float64).alias(name))
        for side, name in ((before, "baseline"), (after, "comparison"))
    ]
    joined = sums[0].join(sums[1], on="group", how="full", coalesce=True, nulls_equal=True)
    sides = joined.with_columns(pl.col("baseline", "comparison").fill_null(0.0))
    step = rounded(pl.col("comparison") - pl.col("baseline")).alias("change")
    moved = sides.with_columns(step).filter(pl.col("change") != 0)
    return moved.sort([pl.col("change").abs(), "group"], descending=[True, False]).collect(engine="streaming")


def _left(whole: float, shown: list[float]) -> float:
    """What is missing to the whole, free of the errors of adding floats."""
    with localcontext(_WIDE):
        exact = [Decimal(repr(number)).quantize(_MILLIONTH) for number in (whole, *shown)]
        return float(exact[0] - sum(exact[1:], Decimal())) + 0.0
