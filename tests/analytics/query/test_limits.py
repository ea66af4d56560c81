"""How long a query may take, on a snapshot and on live data."""

import importlib
import time

import pytest

from analytics.engine import QueryTooLong
from analytics.lake import Lake
from analytics.query import checked, live, run, run_live
from analytics.query.live import QueryTooHard
from analytics.query.sql import Sql
from analytics.watching import Stopped, Watch
from stockverify.wire.reports import QuerySpec
from tests.analytics.conftest import Store, Take
from tests.analytics.stock import NOW, item

QUERY = checked(QuerySpec(collection="items"))
ENOUGH = 8.0
"""Seconds in which a query that may take a fraction of one has long been stopped, on a busy machine too."""


PAIRS = "range(10000000) a(i), range(10000000) b(i), read_parquet($files)"
ENDLESS = Sql(f"SELECT a.i * b.i AS x FROM {PAIRS} WHERE a.i * b.i = -1", {})


def test_a_query_on_a_snapshot_is_stopped(take: Take, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot_id = take(erp_items=[item("R1", "a", 1)]).snapshot_id
    monkeypatch.setattr(importlib.import_module("analytics.query.run"), "compiled", lambda query: ENDLESS)
    begun = iter([False])
    with pytest.raises(Stopped):
        run(lake, snapshot_id, QUERY, ENOUGH, Watch(lambda: next(begun, True)))
    started = time.monotonic()
    with pytest.raises(QueryTooLong, match=r"took more than 0\.3 seconds and was stopped. Narrow its filters"):
        run(lake, snapshot_id, QUERY, seconds=0.3)
    assert time.monotonic() - started < ENOUGH


def test_a_query_on_live_data_is_stopped_by_mongodb(db: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    db.erp_items.insert_one(item("R1", "a", 1))
    numbers = [{"$project": {"n": {"$range": [0, 1_000_000]}}}, {"$unwind": "$n"}]
    monkeypatch.setattr(live, "pipeline", lambda query: [*numbers, *numbers, {"$match": {"n": -1}}])
    monkeypatch.setattr(live, "LIVE_SECONDS", 0.3)
    started = time.monotonic()
    with pytest.raises(QueryTooHard, match=r"it took more than 0\.3 seconds and was stopped\. Narrow its filters"):
        run_live(db, QUERY, NOW)
    assert time.monotonic() - started < ENOUGH
    running = db.client.admin.command({"currentOp": 1, "ns": f"{db.name}.erp_items"})
    assert running["inprog"] == []
