"""Runs a checked query on a snapshot, and says what can be asked."""

from collections.abc import Sequence
from typing import Any

from analytics.engine import engine, frame, texts
from analytics.lake.store import Lake
from analytics.query.model import Function, Query, queryable
from analytics.query.result import QueryResult, shown
from analytics.query.sql import FILES, compiled

SNAPSHOT_SECONDS = 30


def run(lake: Lake, snapshot_id: str, query: Query, seconds: float = SNAPSHOT_SECONDS) -> QueryResult:
    """Rows of a snapshot. Raises what the lake raises for an unknown or damaged one, QueryTooLong or QueryTooBig."""
    (result,) = run_all(lake, snapshot_id, [query], seconds)
    return result


def run_all(
    lake: Lake, snapshot_id: str, queries: Sequence[Query], seconds: float = SNAPSHOT_SECONDS
) -> list[QueryResult]:
    """Several questions to one snapshot, in one engine and within that time together: to start one costs as much as
    many an answer."""
    files = {name: lake.files(name, snapshot_id) for name in {query.dataset.name: None for query in queries}}
    results = []
    with engine([path for each in files.values() for path in each], seconds=seconds) as connection:
        for query in queries:
            statement, name = compiled(query), query.dataset.name
            rows = frame(connection, statement.text, {**statement.parameters, FILES: texts(files[name])})
            as_of = lake.manifest(name, snapshot_id).as_of
            results.append(QueryResult(query=query, frame=shown(rows), snapshot_id=snapshot_id, as_of=as_of))
    return results


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
