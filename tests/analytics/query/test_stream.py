"""The rows of a query some thousands at a time."""

import time

import polars as pl
import pytest

from analytics.engine import _LIMITS, QueryTooBig, QueryTooLong
from analytics.lake import Lake
from analytics.query import Query, checked, run, stream
from analytics.query.sql import Sql
from stockverify.wire.reports import QuerySpec
from tests.analytics.conftest import Take
from tests.analytics.stock import item, record

LINES = {"collection": "positions", "sort": {"book_qty": -1}}
GROUPS = {"collection": "positions", "group_by": ["rack_id"], "aggregations": {"book_qty": ["sum", "max"]}}
RECORDS = {"collection": "records", "filters": {"floor": {"ne": "x"}}, "limit": 3, "skip": 1}
SECONDS = 30.0


@pytest.fixture
def freeze_id(take: Take) -> str:
    items = [item(f"R{number % 3}", f"{number:05d}", number / 10) for number in range(60)]
    counted = [record(f"c-{number}", "R1", f"{number:05d}", -0.0, serial_numbers=["s"]) for number in range(5)]
    return take(erp_items=items, verification_records=counted).snapshot_id


def query_of(spec: object) -> Query:
    return checked(QuerySpec(**spec))  # type: ignore[arg-type]


@pytest.mark.parametrize("spec", [LINES, GROUPS, RECORDS, {"collection": "sessions"}])
def test_they_are_those_of_the_whole_answer(
    lake: Lake, freeze_id: str, monkeypatch: pytest.MonkeyPatch, spec: object
) -> None:
    monkeypatch.setattr(stream, "BATCH", 7)
    wanted = run(lake, freeze_id, query_of(spec)).frame
    found = list(stream.batches(lake, freeze_id, query_of(spec), SECONDS))
    assert len(found) == -(-wanted.height // 7) or wanted.height == 0
    together = pl.concat(found) if found else wanted.clear()
    assert together.equals(wanted)
    assert together.schema == wanted.schema


def test_time_is_only_taken_by_the_engine(lake: Lake, freeze_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BATCH", 20)
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    rows = 0
    for batch in stream.batches(lake, freeze_id, query_of(LINES), SECONDS):
        rows += batch.height
        now[0] += 2 * SECONDS  # as somebody who takes long to write
    assert rows == run(lake, freeze_id, query_of(LINES)).row_count > 60


def test_a_query_is_stopped_amid_its_rows_too(lake: Lake, freeze_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(QueryTooLong, match="more than 1e-09 seconds"):
        list(stream.batches(lake, freeze_id, query_of(LINES), 1e-9))
    monkeypatch.setattr(stream, "compiled", _endless)
    with pytest.raises(QueryTooLong, match=r"more than 0\.3 seconds"):
        list(stream.batches(lake, freeze_id, query_of({"collection": "positions", "limit": 5}), 0.3))


def test_a_query_that_needs_too_much_says_so(lake: Lake, freeze_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "Out of Memory Error: could not allocate block"

    def full(*_: object) -> object:
        raise OSError(words)

    monkeypatch.setattr(stream, "next", full, raising=False)
    with pytest.raises(QueryTooBig, match=_LIMITS["memory_limit"]):
        list(stream.batches(lake, freeze_id, query_of(LINES), SECONDS))
    words = "[Errno 5] Input/output error"
    with pytest.raises(OSError, match="Input/output"):
        list(stream.batches(lake, freeze_id, query_of(LINES), SECONDS))


def _endless(_: Query) -> Sql:
    """Nothing, after a long time."""
    pairs = "range(10000000) a(i), range(10000000) b(i), read_parquet($files)"
    return Sql(f"SELECT a.i * b.i AS x FROM {pairs} WHERE a.i * b.i = -1", {})
