"""Counts and adds up rows while they pass on their way into a file, so that no file is read twice."""

from collections.abc import Iterator, Sequence

import polars as pl

from analytics.millionths import joined, parts, total
from stockverify.datasets import Type

Columns = tuple[tuple[str, Type], ...]

_GROUPS_FIRST = ("change", "floor", "status")
MOST_GROUPS = 10_000
"""More groups than this are no breakdown, and are not kept."""


class Tally:
    """Rows, sums of the columns that add up, and one measure, the first of these, by one group: floor if there is
    one."""

    def __init__(self, columns: Columns, adding: Sequence[str]) -> None:
        self.rows = 0
        self._summed = [name for name in adding if name in dict(columns)]
        self._sums = dict.fromkeys(self._summed, (0.0, 0.0))
        texts = [name for name, kind in columns if kind is Type.STRING]
        self._by = next((name for name in (*_GROUPS_FIRST, *texts) if name in texts), None)
        self._groups: pl.DataFrame | None = None

    @property
    def measured(self) -> str:
        """What is added up by group."""
        return self._summed[0] if self._summed else "rows"

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return 0 if self._groups is None else self._groups.height

    def through(self, batches: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The same batches; each is counted before it is passed on."""
        for batch in batches:
            self._add(batch)
            yield batch

    def sums(self) -> list[tuple[str, float]]:
        """The sum of each column that has one, to the millionth."""
        return [(name, total(*pair)) for name, pair in self._sums.items()]

    def largest(self, most: int) -> pl.DataFrame | None:
        """The largest groups: the group, and its sum or its number of rows. None when there is nothing to group by."""
        if self._groups is None or self._by is None:
            return None
        found = self._groups.select(self._by, joined(pl.col("units"), pl.col("rest")).alias("measured"))
        size = pl.col("measured").abs()
        return found.sort(size, self._by, descending=[True, False], maintain_order=True).head(most)

    def _add(self, batch: pl.DataFrame) -> None:
        self.rows += batch.height
        for name, (units, rest) in self._sums.items():
            more, beside = batch.select(*(each.alias(str(n)) for n, each in enumerate(parts(pl.col(name))))).row(0)
            self._sums[name] = (units + more, rest + beside)
        if self._by is not None:
            self._group(batch, self._by)

    def _group(self, batch: pl.DataFrame, by: str) -> None:
        units, rest = parts(pl.col(self.measured)) if self._summed else (pl.len(), pl.lit(0.0))
        found = batch.group_by(by).agg(units.cast(pl.Float64).alias("units"), rest.cast(pl.Float64).alias("rest"))
        known = found if self._groups is None else pl.concat([self._groups, found])
        merged = known.group_by(by).agg(pl.col("units", "rest").sum())
        if merged.height > MOST_GROUPS:
            self._by, self._groups = None, None
        else:
            self._groups = merged
