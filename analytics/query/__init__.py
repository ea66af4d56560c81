"""One query, two engines: a checked query runs as SQL on a snapshot or as a pipeline on live data, with equal rows."""

from analytics.query.check import checked
from analytics.query.live import run_live
from analytics.query.model import MAX_LIMIT, PREVIEW_LIMIT, Query
from analytics.query.result import QueryResult
from analytics.query.run import describe, run, run_all
from analytics.query.words import described

__all__ = [
    "MAX_LIMIT",
    "PREVIEW_LIMIT",
    "Query",
    "QueryResult",
    "checked",
    "describe",
    "described",
    "run",
    "run_all",
    "run_live",
]
