"""Runs a checked query on the live collections."""

from datetime import datetime
from typing import Any

from msgspec import structs
from pymongo.database import Database
from pymongo.errors import ExecutionTimeout, OperationFailure

from analytics.query.matches import Stage
from analytics.query.model import Condition, Operator, Query
from analytics.query.pipeline import pipeline
from analytics.query.regex import matching
from analytics.query.result import QueryResult, frame_of
from stockverify.clients import Document
from stockverify.errors import BadInput

LIVE_SECONDS = 10
MAX_TEXTS = 50_000
MAX_CHARACTERS = 4_000_000
_OUT_OF_MEMORY = (146, 292)
"""MongoDB's codes for a group that grew too large, and for a sort that may not use the disk."""


class QueryTooHard(BadInput):
    """The query is too much for live data: {reason}. Narrow its filters, or ask a snapshot."""


def run_live(database: Database[Document], query: Query, now: datetime) -> QueryResult:
    """Rows of the live collections. Raises OnlyInSnapshots or QueryTooHard."""
    stages = pipeline(_without_regex(database, query))
    return QueryResult(query=query, frame=frame_of(query, _rows(database, query, stages)), snapshot_id=None, as_of=now)


def _rows(database: Database[Document], query: Query, stages: list[Stage]) -> list[dict[str, Any]]:
    try:
        return database[str(query.dataset.collection)].aggregate(stages, maxTimeMS=LIVE_SECONDS * 1000).to_list()
    except ExecutionTimeout:
        raise QueryTooHard(reason=f"it took more than {LIVE_SECONDS} seconds and was stopped") from None
    except OperationFailure as error:
        if error.code not in _OUT_OF_MEMORY:
            raise
        raise QueryTooHard(reason="it needs more memory than MongoDB gives it") from None


def _without_regex(database: Database[Document], query: Query) -> Query:
    """The same query with each regular expression replaced by the texts that match it now."""
    patterns = [condition for condition in query.conditions if condition.operator is Operator.REGEX]
    others = tuple(condition for condition in query.conditions if condition.operator is not Operator.REGEX)
    for condition in patterns:
        texts = _texts(database, structs.replace(query, conditions=others), condition)
        found = tuple(matching(str(condition.value), texts))
        others += (Condition(condition.column, Operator.IN, found),)
    return structs.replace(query, conditions=others)


def _texts(database: Database[Document], narrowed: Query, condition: Condition) -> list[str]:
    """The different texts of a field in the rows that the other conditions leave."""
    column = condition.column
    distinct = structs.replace(
        narrowed, group_by=(column,), measures=(), having=(), order=(), limit=MAX_TEXTS + 1, skip=0
    )
    texts = [row["_id"] for row in _rows(database, distinct, pipeline(distinct)) if row["_id"] is not None]
    if len(texts) > MAX_TEXTS or sum(map(len, texts)) > MAX_CHARACTERS:
        raise QueryTooHard(
            reason=f"the regular expression on {column.name!r} has too many different texts to search in"
        )
    return texts
