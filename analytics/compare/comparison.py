"""A comparison that was made: what it counted, and its rows, read in pages or streamed from its files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
from msgspec import Struct, structs

from analytics.compare.kinds import Kind
from analytics.compare.manifest import Manifest
from analytics.compare.summary import Change
from analytics.lake import Freeze

SHOWN = 100
_BATCH = 20_000
_INSTANT = pl.Datetime("ms", "UTC")


class Comparison(Struct, frozen=True):
    """What changed from `baseline` to `comparison`. Rows of each kind are sorted by key, nulls first.

    Added and removed rows are whole rows; changed ones have the key, `changed_columns`, and of every column
    `{column}_before`, `{column}_after` and, for numbers, `{column}_delta`; key duplicates have the key, `before_rows`
    and `after_rows`.
    """

    folder: Path
    manifest: Manifest

    @property
    def dataset(self) -> str:
        """The dataset that was compared."""
        return self.manifest.asked.dataset

    @property
    def key(self) -> tuple[str, ...]:
        """The columns by which rows were paired."""
        return self.manifest.asked.key

    @property
    def ignored(self) -> tuple[str, ...]:
        """The columns that made no row changed."""
        return self.manifest.asked.ignored

    @property
    def baseline(self) -> Freeze:
        """The side before."""
        return self.manifest.baseline

    @property
    def comparison(self) -> Freeze:
        """The side after."""
        return self.manifest.comparison

    @property
    def summary(self) -> dict[str, Change]:
        """How the totals moved."""
        return self.manifest.summary

    @property
    def column_changes(self) -> dict[str, int]:
        """In how many changed rows each column changed; columns that nowhere changed are left out."""
        return self.manifest.column_changes

    def counts(self) -> dict[str, int]:
        """How many rows were added, removed, changed, left, and could not be compared."""
        rows = {f"{kind}_count": self.number(kind) for kind in (Kind.ADDED, Kind.REMOVED, Kind.CHANGED)}
        doubled = self.number(Kind.KEY_DUPLICATE)
        return {**rows, "unchanged_count": self.manifest.unchanged, "key_duplicate_count": doubled}

    def number(self, kind: Kind) -> int:
        """How many rows of that kind there are."""
        return self.manifest.files[kind].rows

    def schema(self, kind: Kind) -> dict[str, pl.DataType]:
        """The columns of rows of that kind, as its rows have them: instants in milliseconds."""
        kinds = pl.read_parquet_schema(self.folder / kind.file)
        return {name: _INSTANT if isinstance(dtype, pl.Datetime) else dtype for name, dtype in kinds.items()}

    def rows(self, kind: Kind, skip: int = 0, limit: int | None = None) -> pl.DataFrame:
        """Some rows of that kind. Reads only the groups of rows in the file that hold them."""
        with pq.ParquetFile(self.folder / kind.file) as file:
            total = file.metadata.num_rows
            start = min(skip, total)
            end = total if limit is None else min(start + limit, total)
            sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
            groups, first = _covering(sizes, start, end)
            frame = _frame(file.read_row_groups(groups))
        return frame.slice(start - first, end - start)

    def batches(self, kind: Kind) -> Iterator[pl.DataFrame]:
        """All rows of that kind, some thousands at a time."""
        with pq.ParquetFile(self.folder / kind.file) as file:
            for batch in file.iter_batches(_BATCH):
                yield _frame(batch)

    def contract(self, shown: int = SHOWN) -> dict[str, Any]:
        """The `comparison_result` of the HTTP contract, with the first `shown` rows of each list."""
        rows = {
            "added": self.rows(Kind.ADDED, limit=shown).to_dicts(),
            "removed": self.rows(Kind.REMOVED, limit=shown).to_dicts(),
            "changed": self.listed(Kind.CHANGED, limit=shown),
            "key_duplicates": self.rows(Kind.KEY_DUPLICATE, limit=shown).to_dicts(),
        }
        return {
            "summary_diff": {name: structs.asdict(step) for name, step in self.summary.items()},
            "row_diff": {**self.counts(), **rows},
            "metadata": self.metadata(),
        }

    def listed(self, kind: Kind, skip: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
        """Some rows of that kind as the HTTP contract shows them: changed ones with both sides and their steps."""
        rows = self.rows(kind, skip, limit).to_dicts()
        return [self._changed(row) for row in rows] if kind is Kind.CHANGED else rows

    def metadata(self) -> dict[str, Any]:
        """Where the figures come from."""
        told = self.manifest
        return {
            "comparison_id": told.comparison_id,
            "dataset": self.dataset,
            "key": list(self.key),
            "ignored": list(self.ignored),
            "tolerances": {name: structs.asdict(size) for name, size in told.asked.tolerances.items()},
            "column_changes": told.column_changes,
            "within_tolerance_count": told.within,
            "column_within_tolerance": told.column_within,
            "type_changed": {
                name: {"before": before, "after": after} for name, (before, after) in told.type_changed.items()
            },
            "baseline": structs.asdict(self.baseline),
            "comparison": structs.asdict(self.comparison),
        }

    def _changed(self, row: dict[str, Any]) -> dict[str, Any]:
        names = self.manifest.columns
        before, after = (
            {name: row[f"{name}_{side}"] for name in names if f"{name}_{side}" in row} for side in ("before", "after")
        )
        steps = {name: row.get(f"{name}_delta") for name in row["changed_columns"]}
        return {"key": {name: row[name] for name in self.key}, "baseline": before, "comparison": after, "diff": steps}


def _covering(sizes: list[int], start: int, end: int) -> tuple[list[int], int]:
    """The groups that hold the rows from start to before end, and the number of the first row in them."""
    groups, first, passed = list[int](), start, 0
    for number, size in enumerate(sizes):
        if passed < end and passed + size > start:
            first = first if groups else passed
            groups.append(number)
        passed += size
    return groups, first


def _frame(rows: Any) -> pl.DataFrame:
    """Instants in milliseconds, as everywhere else."""
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - neither a table nor a batch is a single column
    instants = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(pl.col(instants).cast(_INSTANT))
