"""Queries on a snapshot against the same pipeline in MongoDB, and a page of a large snapshot.

QUERY_ROWS is how many records both have (1 million), PAGE_ROWS how many rows the paged snapshot has (10 million; they
are written as Parquet without MongoDB).
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import msgspec
import pyarrow as pa
import pytest
from pymongo import MongoClient

from analytics.engine import engine_of, texts
from analytics.extract import materialise
from analytics.extract import positions as derived
from analytics.extract.task import files_of
from analytics.lake import Lake
from analytics.lake.publish import Head, publish
from analytics.query import PREVIEW_LIMIT, checked, run
from analytics.query.pipeline import pipeline
from analytics.schema import arrow_schema
from stockverify.clients import Document, database
from stockverify.datasets import COLLECTED, POSITIONS, RECORDS
from stockverify.services.embedded import Backends
from stockverify.wire.reports import GroupBy, QuerySpec

QUERY_ROWS = int(os.environ.get("QUERY_ROWS", "1000000"))
PAGE_ROWS = int(os.environ.get("PAGE_ROWS", "10000000"))
ROUNDS = 5
NOW = datetime(2026, 1, 31, 18, tzinfo=UTC)
_BATCH = 20_000

pytestmark = pytest.mark.bench

QUERIES = {
    "sums by floor and category": QuerySpec(
        collection="records",
        filters={"status": "finalized"},
        group_by=["floor", "category"],
        aggregations={"verified_qty": "sum", "damage_qty": "avg", "client_record_id": "count"},
    ),
    "units by day in Vienna": QuerySpec(
        collection="records",
        group_by=[GroupBy(field="received_at", by="day", zone="Europe/Vienna")],
        aggregations={"verified_qty": "sum", "username": "count_distinct"},
    ),
    "a calculated share by counter": QuerySpec(
        collection="records",
        calculated={"share": "damage_qty / verified_qty"},
        filters={"share": {"gt": 0}},
        group_by=["username"],
        aggregations={"share": ["avg", "max"]},
        having={"share_avg": {"gt": 0}},
    ),
}


def counted(number: int) -> Document:
    """A record as sync stores it."""
    when = NOW - timedelta(seconds=number)
    return {
        "_id": f"c-{number:08}",
        "session_id": f"s-{number // 200}",
        "rack_id": f"R{number // 200 % 500}",
        "floor": f"Floor {number % 7}",
        "bin": "",
        "round": 1,
        "item_code": f"{number % 20_000:06}",
        "verified_qty": float(number % 50),
        "damage_qty": float(number % 50 // 40),
        "serial_numbers": [],
        "category": f"Category {number % 40}",
        "status": "finalized" if number % 10 else "partial",
        "unknown_item": False,
        "user_id": f"u-{number % 100}",
        "username": f"user{number % 100}",
        "device_id": f"d-{number % 100}",
        "created_at": when,
        "updated_at": when,
        "received_at": when,
    }


Both = tuple[Any, Lake, str]


@pytest.fixture(scope="module")
def both(embedded: Backends, mongo: "MongoClient[Document]", tmp_path_factory: pytest.TempPathFactory) -> Both:
    """A database of records and the snapshot of it."""
    settings = msgspec.structs.replace(embedded.settings, mongodb_database=f"bench_{uuid4().hex[:12]}")
    db = database(mongo, settings)
    for first in range(0, QUERY_ROWS, _BATCH):
        db[RECORDS.name].insert_many(map(counted, range(first, min(first + _BATCH, QUERY_ROWS))), ordered=False)
    lake = Lake(tmp_path_factory.mktemp("bench") / "lake")
    return db, lake, materialise(lake, db, NOW).snapshot_id


def median(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Seconds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


@pytest.mark.parametrize("name", QUERIES)
def test_a_grouped_query_against_the_same_pipeline_in_mongodb(both: Both, name: str) -> None:
    db, lake, snapshot_id = both
    query = checked(QUERIES[name])
    run(lake, snapshot_id, query)  # the checksums of the files are read once
    ours = median(lambda: run(lake, snapshot_id, query))
    theirs = median(lambda: db[RECORDS.name].aggregate(pipeline(query)).to_list(), rounds=3)
    print(
        f"\n  {name}, {QUERY_ROWS:,} records: MongoDB {theirs:.2f} s, snapshot {ours:.3f} s = {theirs / ours:.1f} times"
    )


def test_a_page_of_a_large_snapshot(tmp_path: Path) -> None:
    lake, snapshot_id = Lake(tmp_path / "lake"), written(tmp_path / "lake")
    query = checked(QuerySpec(collection="records"), PREVIEW_LIMIT)
    rack = QuerySpec(collection="records", filters={"rack_id": "R7"}, sort={"received_at": -1})
    filtered = checked(rack, PREVIEW_LIMIT)
    started = time.perf_counter()
    assert run(lake, snapshot_id, query).row_count == PREVIEW_LIMIT
    first = time.perf_counter() - started
    again, narrow = (median(lambda asked=asked: run(lake, snapshot_id, asked)) for asked in (query, filtered))
    files = texts(lake.files(RECORDS.name, snapshot_id))
    bare = median(lambda: duckdb.execute("SELECT count(round) FROM read_parquet($files)", {"files": files}).fetchall())
    print(
        f"\n  page of {PREVIEW_LIMIT} of {PAGE_ROWS:,} rows: first {first:.2f} s, then {again:.3f} s"
        f" = {again / bare:.1f} times a bare count of one column; filtered and sorted by time {narrow:.3f} s"
    )


def written(root: Path) -> str:
    """A snapshot of PAGE_ROWS records that MongoDB has never seen. Gives its id."""
    head = Head(snapshot_id="20260131T180000000Z-00000001", name="", as_of=NOW, created_at=NOW)
    done = {}
    for dataset in COLLECTED:
        rows = _rows() if dataset is RECORDS else [arrow_schema(dataset).empty_table()]
        done[dataset.name] = publish(root, dataset, head, rows, {"bench": True}, {})
    files, sources = files_of(done), {name: published.sha256 for name, published in done.items()}
    with engine_of(root) as engine:
        lines = derived.batches(engine, files, derived.all_racks(engine, files))
        publish(root, POSITIONS, head, lines, {"bench": True}, sources)
    return head.snapshot_id


def _rows() -> Iterator[Any]:
    made = {
        "client_record_id": "format('c-{:08d}', range)",
        "session_id": "'s-' || range // 200",
        "rack_id": "'R' || range // 200 % 500",
        "floor": "'Floor ' || range % 7",
        "bin": "''",
        "round": "1::BIGINT",
        "item_code": "format('{:06d}', range % 20000)",
        "verified_qty": "(range % 50)::DOUBLE",
        "damage_qty": "(range % 50 // 40)::DOUBLE",
        "serial_numbers": "[]::VARCHAR[]",
        "category": "'Category ' || range % 40",
        "status": "'finalized'",
        "unknown_item": "false",
        "username": "'user' || range % 100",
        **dict.fromkeys(("created_at", "updated_at", "received_at"), "$now::TIMESTAMPTZ - to_seconds(range)"),
    }
    columns = ", ".join(f"{made.get(column.name, 'NULL')} AS {column.name}" for column in RECORDS.columns)
    with duckdb.connect() as connection:
        rows = connection.sql(f"SELECT {columns} FROM range({PAGE_ROWS})", params={"now": NOW})
        for batch in rows.to_arrow_reader(100_000):
            yield pa.Table.from_batches([batch]).cast(arrow_schema(RECORDS))
