"""Compares a dataset of two snapshots on its declared key."""

from collections.abc import Sequence
from typing import Any

import polars as pl
from msgspec import Struct, structs

from analytics.compare.diff import Diff, diff
from analytics.compare.summary import Change, summary
from analytics.lake import Freeze, Lake
from analytics.lake.store import known_dataset
from stockverify.datasets import POSITIONS

# Who counted, when, and in which round says nothing about the stock.
IGNORED = ("counted_by", "counted_at", "round")
SHOWN = 100


class Comparison(Struct, frozen=True):
    """What changed in `dataset` from `baseline` to `comparison`."""

    dataset: str
    baseline: Freeze
    comparison: Freeze
    ignored: tuple[str, ...]
    summary: dict[str, Change]
    diff: Diff

    def counts(self) -> dict[str, int]:
        """How many rows were added, removed, changed, left, and could not be compared."""
        return {
            "added_count": self.diff.added.height,
            "removed_count": self.diff.removed.height,
            "changed_count": self.diff.changed.height,
            "unchanged_count": self.diff.unchanged_count,
            "key_duplicate_count": self.diff.key_duplicates.height,
        }

    def contract(self, shown: int = SHOWN) -> dict[str, Any]:
        """The `comparison_result` of the HTTP contract, with the first `shown` rows of each list."""
        rows = {
            "added": self.diff.added.head(shown).to_dicts(),
            "removed": self.diff.removed.head(shown).to_dicts(),
            "changed": [_changed_row(self.diff, row) for row in self.diff.changed.head(shown).iter_rows(named=True)],
            "key_duplicates": self.diff.key_duplicates.head(shown).to_dicts(),
        }
        return {
            "summary_diff": {name: structs.asdict(step) for name, step in self.summary.items()},
            "row_diff": {**self.counts(), **rows},
            "metadata": self.metadata(),
        }

    def metadata(self) -> dict[str, Any]:
        """Where the figures come from."""
        return {
            "dataset": self.dataset,
            "key": list(self.diff.key),
            "ignored": list(self.ignored),
            "column_changes": self.diff.column_changes,
            "baseline": structs.asdict(self.baseline),
            "comparison": structs.asdict(self.comparison),
        }


def compare(
    lake: Lake, baseline: str, comparison: str, dataset: str = POSITIONS.name, ignore: Sequence[str] = IGNORED
) -> Comparison:
    """Compare two snapshots. Raises what the lake raises for an unknown or damaged one, and UnknownDataset."""
    wanted = known_dataset(dataset)
    before, after = (
        pl.scan_parquet(lake.files(wanted.name, snapshot_id), glob=False) for snapshot_id in (baseline, comparison)
    )
    return Comparison(
        dataset=wanted.name,
        baseline=lake.freeze(baseline),
        comparison=lake.freeze(comparison),
        ignored=tuple(name for name in ignore if name in wanted.names),
        summary=summary(wanted, before, after),
        diff=diff(before, after, wanted.key, ignore),
    )


def _changed_row(found: Diff, row: dict[str, Any]) -> dict[str, Any]:
    values = [name for name in found.columns if name not in found.key]
    before, after = ({name: row[f"{name}_{side}"] for name in values} for side in ("before", "after"))
    changed = [name for name in values if name in found.column_changes and not _same(before[name], after[name])]
    steps = {name: row.get(f"{name}_delta") for name in changed}
    return {"key": {name: row[name] for name in found.key}, "baseline": before, "comparison": after, "diff": steps}


def _same(before: Any, after: Any) -> bool:
    return bool(before == after) or (before != before and after != after)  # noqa: PLR0124 - NaN is not itself
