"""Compares a dataset of two snapshots on its declared key."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from analytics.compare import store
from analytics.compare.comparison import Comparison
from analytics.compare.contributions import LIMIT, Contributions, contributions, of_dataset
from analytics.compare.manifest import Asked
from analytics.compare.summary import summary
from analytics.compare.tolerance import Tolerances, checked
from analytics.compare.unlike import unlike
from analytics.compare.watching import Watch
from analytics.lake import Lake
from analytics.lake.store import known_dataset
from stockverify.datasets import POSITIONS, Dataset, Type
from stockverify.errors import BadInput

# Who counted, when, and in which round says nothing about the stock.
IGNORED = ("counted_by", "counted_at", "round")


class UnknownColumn(BadInput):
    """{dataset} has no column {column!r} that could be ignored. Its columns are: {known}."""


def compare(
    lake: Lake,
    baseline: str,
    comparison: str,
    dataset: str = POSITIONS.name,
    ignore: Sequence[str] | None = None,
    tolerances: Tolerances | None = None,
    watch: Watch | None = None,
) -> Comparison:
    """Compare two snapshots, or find the comparison where it was made before.

    Columns in `ignore` make no row changed; without a wish these are who counted, when, and in which round. Raises what
    the lake raises for an unknown or damaged snapshot, UnknownDataset, UnknownColumn, BadTolerance, ComparisonTooLarge
    and, when `watch` was told to stop, ComparisonStopped.
    """
    asked = _asked(baseline, comparison, dataset, ignore, tolerances)
    before, after = _sides(lake, asked)
    if found := store.find(lake, asked.comparison_id):
        return found
    wanted = known_dataset(dataset)
    totals = summary(wanted, *(pl.scan_parquet(files, glob=False) for files in (before, after)))
    left = unlike(lake, wanted.name, baseline, comparison)
    sides = store.Sides(lake.freeze(baseline), left.before, lake.freeze(comparison), left.after, left.same)
    return store.make(lake, asked, sides, totals, watch=watch)


def compared(
    lake: Lake, baseline: str, comparison: str, dataset: str = POSITIONS.name, tolerances: Tolerances | None = None
) -> bool:
    """Whether `compare` finds it made already. Raises as `compare` does."""
    asked = _asked(baseline, comparison, dataset, None, tolerances)
    _sides(lake, asked)
    return store.find(lake, asked.comparison_id) is not None


def _asked(
    baseline: str, comparison: str, dataset: str, ignore: Sequence[str] | None, tolerances: Tolerances | None
) -> Asked:
    wanted = known_dataset(dataset)
    return Asked(
        dataset=wanted.name,
        baseline=baseline,
        comparison=comparison,
        key=wanted.key,
        ignored=_ignored(wanted, ignore),
        tolerances=checked(tolerances or {}, _numbers(wanted)),
    )


def _sides(lake: Lake, asked: Asked) -> tuple[list[Path], list[Path]]:
    return lake.files(asked.dataset, asked.baseline), lake.files(asked.dataset, asked.comparison)


def tolerable(dataset: str) -> list[str]:
    """The numbers of a dataset that are compared unless somebody wishes otherwise, and so may have a tolerance."""
    wanted = known_dataset(dataset)
    return [name for name in _numbers(wanted) if name not in IGNORED]


def moved(
    lake: Lake, found: Comparison, total: str | None = None, by: str | None = None, limit: int = LIMIT
) -> Contributions:
    """Why a total moved from one snapshot to the other. Without a wish it is the net variance value of positions, and
    else the rows, by the first column that divides them. Raises what the lake raises when a snapshot is gone, and as
    `contributions` does."""
    dataset = known_dataset(found.dataset)
    rows = of_dataset(dataset)
    usual = "net_variance_value" if dataset == POSITIONS else "rows"
    before, after = (
        pl.scan_parquet(lake.files(dataset.name, side.snapshot_id), glob=False)
        for side in (found.baseline, found.comparison)
    )
    return contributions(rows, before, after, total or usual, by or rows.parts[0], limit)


def _numbers(dataset: Dataset) -> list[str]:
    kinds = (Type.FLOAT, Type.INTEGER)
    return [column.name for column in dataset.columns if column.type in kinds and column.name not in dataset.key]


def _ignored(dataset: Dataset, ignore: Sequence[str] | None) -> tuple[str, ...]:
    if ignore is None:
        return tuple(name for name in IGNORED if name in dataset.names)
    for column in ignore:
        if column not in dataset.names:
            raise UnknownColumn(dataset=dataset.name, column=column[:80], known=", ".join(dataset.names))
    return tuple(sorted(set(ignore)))
