"""Compares a dataset of two snapshots on its declared key."""

from collections.abc import Sequence

import polars as pl
from msgspec import structs

from analytics.compare import store
from analytics.compare.comparison import Comparison
from analytics.compare.contributions import LIMIT, Contributions, check, contributions, of_dataset
from analytics.compare.differing import from_differing, tell
from analytics.compare.manifest import Asked
from analytics.compare.summary import Change, between
from analytics.compare.tolerance import Tolerances, checked
from analytics.compare.unlike import unlike
from analytics.lake import Lake
from analytics.lake.store import known_dataset
from analytics.watching import Watch
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
    and, when `watch` was told to stop, Stopped.
    """
    return _answer(lake, _asked(baseline, comparison, dataset, ignore, tolerances), watch)


def compared(
    lake: Lake, baseline: str, comparison: str, dataset: str = POSITIONS.name, tolerances: Tolerances | None = None
) -> bool:
    """Whether `compare` finds it made already. Raises as `compare` does."""
    asked = _asked(baseline, comparison, dataset, None, tolerances)
    _check(lake, asked)
    return store.find(lake, asked.comparison_id) is not None


def _answer(lake: Lake, asked: Asked, watch: Watch | None = None) -> Comparison:
    _check(lake, asked)
    first, second = asked.baseline, asked.comparison

    def given() -> tuple[store.Sides, dict[str, Change]]:
        totals = between(lake, known_dataset(asked.dataset), first, second)
        left = unlike(lake, asked.dataset, first, second)
        return store.Sides(lake.freeze(first), left.before, lake.freeze(second), left.after, left.same), totals

    return store.answer(lake, asked, given, watch)


def _asked(
    baseline: str, comparison: str, dataset: str, ignore: Sequence[str] | None, tolerances: Tolerances | None
) -> Asked:
    wanted = known_dataset(dataset)
    ignored = _ignored(wanted, ignore)
    numbers = [name for name in _numbers(wanted) if name not in ignored]
    return Asked(
        dataset=wanted.name,
        baseline=baseline,
        comparison=comparison,
        key=wanted.key,
        ignored=ignored,
        tolerances=checked(tolerances or {}, numbers),
    )


def _check(lake: Lake, asked: Asked) -> None:
    """What a damaged snapshot was compared with is not shown either."""
    for snapshot_id in (asked.baseline, asked.comparison):
        lake.files(asked.dataset, snapshot_id)


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
    return _moved(lake, found.manifest.asked, total, by, limit)


def moved_between(
    lake: Lake,
    pair: tuple[str, str],
    dataset: str = POSITIONS.name,
    ignore: Sequence[str] | None = None,
    total: str | None = None,
    by: str | None = None,
    limit: int = LIMIT,
) -> Contributions:
    """The same of two snapshots, whether or not they have been compared; nothing is compared for it."""
    return _moved(lake, _asked(*pair, dataset, ignore, None), total, by, limit)


def _moved(lake: Lake, asked: Asked, total: str | None, by: str | None, limit: int) -> Contributions:
    dataset = known_dataset(asked.dataset)
    rows = of_dataset(dataset)
    total = total or ("net_variance_value" if dataset == POSITIONS else "rows")
    by = by or rows.parts[0]
    check(rows, total, by)
    before, after = (
        pl.scan_parquet(lake.files(dataset.name, side), glob=False) for side in (asked.baseline, asked.comparison)
    )
    exact = store.find(lake, structs.replace(asked, tolerances={}).comparison_id)
    if exact and tell(exact, rows, total, by):
        return from_differing(exact, rows, before, total, by, limit)
    return contributions(rows, before, after, total, by, limit)


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
