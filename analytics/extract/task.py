"""What taking one snapshot needs, whether it reads everything or only what has changed."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from duckdb import DuckDBPyConnection
from pymongo.database import Database

from analytics.extract import positions
from analytics.extract.gate import Terms
from analytics.extract.moment import Moment
from analytics.lake.manifest import Origin
from analytics.lake.parts import Kept
from analytics.lake.publish import Check, Head, Published, publish
from stockverify.clients import Document
from stockverify.datasets import DATASETS, POSITIONS, Dataset
from stockverify.errors import Refused


class Abandoned(Refused):
    """The snapshot was given up because the worker stops; nothing of it is visible."""


class Task(NamedTuple):
    """One snapshot to take: from where, of which moment, as what, into where; `engine` looks things up there."""

    root: Path
    database: Database[Document]
    at: Moment
    incarnations: Mapping[str, str]
    head: Head
    terms: Terms
    stopping: Callable[[], bool]
    rows_per_part: int
    engine: DuckDBPyConnection

    def publish(
        self, dataset: Dataset, batches: Iterator[pa.Table], origin: Origin, kept: tuple[Kept, ...] = ()
    ) -> Published:
        """Publish a dataset that is read from MongoDB; readers see it once the positions are there."""
        query = {"collection": str(dataset.collection), "cluster_time": ".".join(map(str, origin.cluster_time))}
        return publish(
            self.root,
            dataset,
            self.head,
            self._until(batches),
            query,
            {},
            self.rows_per_part,
            kept=kept,
            origin=origin,
        )

    def complete(
        self,
        done: Mapping[str, Published],
        batches: Iterator[pa.Table],
        origin: Origin,
        check: Check,
        kept: tuple[Kept, ...] = (),
    ) -> Published:
        """Publish the positions, which makes the snapshot visible."""
        sources = {name: published.sha256 for name, published in done.items()}
        return publish(
            self.root,
            POSITIONS,
            self.head,
            self._until(batches),
            positions.QUERY,
            sources,
            self.rows_per_part,
            kept=kept,
            origin=origin,
            check=check,
        )

    def origin(self, dataset: Dataset, base: str | None, because: str, whole_at: datetime | None = None) -> Origin:
        """Where a dataset of this snapshot comes from; without `whole_at` it is compared with everything now."""
        return Origin(
            cluster_time=(self.at.cluster_time.time, self.at.cluster_time.inc),
            incarnation=self.incarnations.get(str(dataset.collection)),
            base=base,
            because=because,
            whole_at=whole_at or self.head.created_at,
        )

    def _until(self, batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
        for batch in batches:
            if self.stopping():
                raise Abandoned()
            yield batch


def files_of(done: Mapping[str, Published]) -> dict[str, tuple[Path, ...]]:
    """The files of datasets that are published."""
    return {name: published.paths for name, published in done.items()}


def rows_of(done: Mapping[str, Published]) -> dict[str, int]:
    """How many rows each of them has that can be asked for."""
    return {name: published.manifest.rows for name, published in done.items() if name in DATASETS}
