"""How totals moved from one snapshot to another."""

from collections.abc import Mapping

import polars as pl
from msgspec import Struct

from analytics.figures import FIGURES, Totals, stock_of
from analytics.figures import totals as stock_totals
from analytics.lake import Lake
from analytics.millionths import summed
from stockverify.datasets import POSITIONS, Dataset

_MILLIONTH = 6
# Shares are left out: a percentage of a percentage misleads.
_COMPARED = tuple(figure.name for figure in FIGURES if figure.unit != "share")


class Change(Struct, frozen=True):
    """One total, before and after. `percent_diff` is of the baseline's size; null when the baseline is 0."""

    baseline: float
    comparison: float
    absolute_diff: float
    percent_diff: float | None
    trend: str


def change(baseline: float, comparison: float) -> Change:
    """The change between two totals: up, down or stable."""
    step = round(comparison - baseline, _MILLIONTH)
    percent = round(100 * step / abs(baseline), 4) if baseline else (None if step else 0.0)
    return Change(baseline, comparison, step, percent, "stable" if step == 0 else "up" if step > 0 else "down")


def summary(dataset: Dataset, before: pl.LazyFrame, after: pl.LazyFrame) -> dict[str, Change]:
    """The stock figures for positions; for other datasets their rows and the sums of what adds up."""
    return _steps(*(_totals(dataset, side) for side in (before, after)))


def between(lake: Lake, dataset: Dataset, baseline: str, comparison: str) -> dict[str, Change]:
    """The same of two snapshots; figures that were kept beside them are not worked out again. Raises what the lake
    raises."""
    if dataset == POSITIONS:
        return _steps(*(_compared(stock_of(lake, snapshot_id)) for snapshot_id in (baseline, comparison)))
    return summary(
        dataset, *(pl.scan_parquet(lake.files(dataset.name, each), glob=False) for each in (baseline, comparison))
    )


def _steps(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, Change]:
    return {name: change(value, after[name]) for name, value in before.items()}


def _totals(dataset: Dataset, rows: pl.LazyFrame) -> Mapping[str, float]:
    if dataset == POSITIONS:
        return _compared(stock_totals(rows))
    sums = [summed(pl.col(name)).alias(f"{name}_sum") for name in dataset.adding]
    return rows.select(pl.len().cast(pl.Int64).alias("rows"), *sums).collect().row(0, named=True)


def _compared(figures: Totals) -> Mapping[str, float]:
    return {name: getattr(figures, name) for name in _COMPARED}
