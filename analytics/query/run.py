"""Runs a checked query on a snapshot, and says what can be asked."""

from typing import Any

from analytics.engine import engine, frame, texts
from analytics.lake.store import Lake
from analytics.query.model import Function, Query, queryable
from analytics.query.result import QueryResult, shown
from analytics.query.sql import FILES, compiled

SNAPSHOT_SECONDS = 30


def run(lake: Lake, snapshot_id: str, query: Query, seconds: float = SNAPSHOT_SECONDS) -> QueryResult:
    """Rows of a snapshot. Raises what the lake raises for an unknown or damaged one, QueryTooLong or QueryTooBig."""
    files = lake.files(query.dataset.name, snapshot_id)
    as_of = lake.manifest(query.dataset.name, snapshot_id).as_of
    statement = compiled(query)
    with engine(files, seconds=seconds) as connection:
        rows = frame(connection, statement.text, {**statement.parameters, FILES: texts(files)})
    return QueryResult(query=query, frame=shown(rows), snapshot_id=snapshot_id, as_of=as_of)


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
