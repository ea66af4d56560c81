"""The rows of a query some thousands at a time, for files: memory holds one batch, however many there are."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import polars as pl

from analytics.engine import engine, limited, texts
from analytics.lake.store import Lake
from analytics.query.model import Query
from analytics.query.result import POLARS, shown
from analytics.query.sql import FILES, compiled

BATCH = 20_000


def batches(lake: Lake, snapshot_id: str, query: Query, seconds: float) -> Iterator[pl.DataFrame]:
    """Rows of a snapshot in the order of the query. `seconds` count while the engine works, not while the caller writes
    what it has. Raises what the lake raises for an unknown or damaged snapshot, QueryTooLong or QueryTooBig."""
    files, statement = lake.files(query.dataset.name, snapshot_id), compiled(query)
    schema = pl.Schema({name: POLARS[kind] for name, kind in query.results()})
    with engine(files) as connection:
        allowed = _Allowance(connection, seconds)
        with allowed.used():
            relation = connection.sql(statement.text, params={**statement.parameters, FILES: texts(files)})
            reader = relation.to_arrow_reader(BATCH)
        while True:
            with allowed.used():
                batch = next(reader, None)
            if batch is None:
                return
            yield shown(pl.DataFrame(pl.from_arrow(batch)).cast(schema))


class _Allowance:
    """The time that an engine may work; each use takes from what is left."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._connection, self._seconds, self._left = connection, seconds, seconds

    @contextmanager
    def used(self) -> Iterator[None]:
        """Stops the engine when nothing is left."""
        started = time.monotonic()
        try:
            with limited(self._connection, max(self._left, 0.0), self._seconds):
                yield
        finally:
            self._left -= time.monotonic() - started
