"""Live rows as they come from the service, as a frame of the declared types."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from analytics.query import Query
from analytics.query.result import frame_of
from analytics.query.values import instant
from stockverify.datasets import Type


def frame(query: Query, rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """JSON has no instants: they came as texts."""
    times = {name for name, kind in query.results() if kind is Type.INSTANT}
    return frame_of(query, [_timed(row, times) for row in rows])


def _timed(row: dict[str, Any], times: set[str]) -> dict[str, Any]:
    read = {name: _instant(value) if name in times else value for name, value in row.items()}
    key = row.get("_id")
    if isinstance(key, dict):
        read["_id"] = _timed(key, times)
    return read


def _instant(value: Any) -> Any:
    return None if value is None else instant(value)
