"""Why a total moved: how much of its change comes from each floor, category, counter or item. Pure: frames in."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, localcontext
from typing import NamedTuple

import polars as pl
from msgspec import Struct

from analytics.compare.summary import Change, change
from analytics.figures import FIGURES
from analytics.figures.stock import LINES, amount, prepared
from analytics.millionths import joined, split
from stockverify.datasets import POSITIONS, Dataset, Type
from stockverify.errors import BadInput

LIMIT = 10
BY = ("floor", "rack_id", "category", "subcategory", "counted_by", "item_code")
"""What the totals of positions can be divided by; other datasets by any of their texts."""
ROW = pl.lit(1)
"""What a row adds to the number of rows."""
_HALVES = ("units", "rest")
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
    """Rows of one kind: the totals that are sums over them, each with what a row adds to it, and the columns by which
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
    check(rows, total, by)
    first, second = (sums(rows, side, total, by) for side in (before, after))
    whole = change(*(_whole(side) for side in (first, second)))
    moved = steps(first, second, whole, total)
    shown = moved.head(limit).join(first, on="group", how="left", nulls_equal=True, maintain_order="left")
    return divided(total, by, whole, moved, shown)


def check(rows: Divisible, total: str, by: str) -> None:
    """Raises UnknownTotal or UnknownPart."""
    if total not in rows.figures:
        raise UnknownTotal(dataset=rows.name, total=total[:80], known=", ".join(rows.figures))
    if by not in rows.parts:
        raise UnknownPart(dataset=rows.name, by=by[:80], known=", ".join(rows.parts))


def sums(rows: Divisible, side: pl.LazyFrame, total: str, by: str, only: pl.Series | None = None) -> pl.DataFrame:
    """What the rows of each group add up to, in whole `units` and the millionths `rest` beside them, which add up
    without error in any order; of some groups only."""
    group = pl.col(by).alias("group")
    chosen = side if only is None else side.filter(pl.col(by).is_in(only.implode(), nulls_equal=True))
    halves = zip(_HALVES, split(rows.figures[total]), strict=True)
    cells = rows.prepare(chosen).select(group, *(half.alias(name) for name, half in halves))
    return cells.group_by("group").agg(pl.col(_HALVES).sum()).collect(engine="streaming")


def steps(before: pl.DataFrame, after: pl.DataFrame, whole: Change, total: str) -> pl.DataFrame:
    """The groups that moved, the largest step first, with its parts. Rows that both sides have can be left out on
    both. Raises NotSummable."""
    if not abs(whole.absolute_diff) < float("inf"):
        raise NotSummable(total=total, baseline=whole.baseline, comparison=whole.comparison)
    gone = before.with_columns(-pl.col(_HALVES))
    both = pl.concat([gone, after]).group_by("group").agg(pl.col(_HALVES).sum())
    step = joined(*(pl.col(name) for name in _HALVES)).alias("change")
    moved = both.select("group", step, *(pl.col(name).alias(f"{name}_step") for name in _HALVES))
    return moved.filter(pl.col("change") != 0).sort([pl.col("change").abs(), "group"], descending=[True, False])


def divided(total: str, by: str, whole: Change, moved: pl.DataFrame, shown: pl.DataFrame) -> Contributions:
    """The contributions of the groups that moved. `shown` are the first of them, beside their sums before, which are
    null for a group without rows."""
    before = [pl.col(name).fill_null(0.0) for name in _HALVES]
    after = [half + pl.col(f"{name}_step") for half, name in zip(before, _HALVES, strict=True)]
    sides = [joined(*halves).alias(name) for halves, name in ((before, "baseline"), (after, "comparison"))]
    parts = [Contribution(*row) for row in shown.select("group", *sides, "change").iter_rows()]
    rest = Rest(moved.height - len(parts), _left(whole.absolute_diff, [part.change for part in parts]))
    return Contributions(total=total, by=by, change=whole, parts=parts, other=rest)


def of_dataset(dataset: Dataset) -> Divisible:
    """The totals of a whole dataset, as its comparison's summary names them, without those that are no sums."""
    if dataset == POSITIONS:
        names = [figure.name for figure in FIGURES if figure.adds_up]
        figures = {name: LINES[name] if name in LINES else amount(name) for name in names}
        return Divisible(dataset.name, figures, BY, prepared)
    added = {f"{name}_sum": pl.col(name) for name in dataset.adding}
    texts = [column.name for column in dataset.columns if column.type is Type.STRING]
    return Divisible(dataset.name, {"rows": ROW, **added}, texts)


def _whole(side: pl.DataFrame) -> float:
    found: float = side.select(joined(*(pl.col(name).sum() for name in _HALVES))).item()
    return found


def _left(whole: float, shown: list[float]) -> float:
    """What is missing to the whole, free of the errors of adding floats."""
    with localcontext(_WIDE):
        exact = [Decimal(repr(number)).quantize(_MILLIONTH) for number in (whole, *shown)]
        return float(exact[0] - sum(exact[1:], Decimal())) + 0.0
