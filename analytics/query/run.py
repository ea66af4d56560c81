"""Runs a checked query on a snapshot, and says what can be asked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import duckdb

from analytics.engine import QueryTooLong, engine, frame, texts
from analytics.lake.store import Lake
from analytics.query.model import Function, Query, queryable
from analytics.query.result import QueryResult, shown
from analytics.query.sql import FILES, compiled
from analytics.watching import Stopped, Watch

SNAPSHOT_SECONDS = 30


def run(
    lake: Lake, snapshot_id: str, query: Query, seconds: float = SNAPSHOT_SECONDS, watch: Watch | None = None
) -> QueryResult:
    """Rows of a snapshot. Raises what the lake raises for an unknown or damaged one, QueryTooLong or QueryTooBig, and,
    when `watch` was told to stop, Stopped."""
    (result,) = run_all(lake, snapshot_id, [query], seconds, watch)
    return result


def run_all(
    lake: Lake,
    snapshot_id: str,
    queries: Sequence[Query],
    seconds: float = SNAPSHOT_SECONDS,
    watch: Watch | None = None,
) -> list[QueryResult]:
    """Several questions to one snapshot, in one engine and within that time together: to start one costs as much as
    many an answer."""
    files = {name: lake.files(name, snapshot_id) for name in {query.dataset.name: None for query in queries}}
    results = []
    with _engine([path for each in files.values() for path in each], seconds, watch) as connection:
        for number, query in enumerate(queries):
            if watch:
                watch.phase(number / len(queries), (number + 1) / len(queries))
            statement, name = compiled(query), query.dataset.name
            rows = frame(connection, statement.text, {**statement.parameters, FILES: texts(files[name])})
            as_of = lake.manifest(name, snapshot_id).as_of
            results.append(QueryResult(query=query, frame=shown(rows), snapshot_id=snapshot_id, as_of=as_of))
    return results


@contextmanager
def _engine(files: Sequence[Path], seconds: float, watch: Watch | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine for so long, which somebody may stop sooner."""
    try:
        with engine(files, seconds) as connection, watch.over(connection) if watch else nullcontext():
            yield connection
    except QueryTooLong:
        if watch and watch.stopped:
            raise Stopped() from None
        raise


def describe() -> dict[str, Any]:
    """What can be asked: collections, their fields with types, and the aggregations."""
    return {
        "collections": [dataset.name for dataset in queryable()],
        "fields": {
            dataset.name: [
                {"name": column.name, "type": column.type.value, "meaning": column.meaning}
                for column in dataset.columns
            ]
            for dataset in queryable()
        },
        "aggregations": list(Function),
    }
