"""Snapshots against the rate at which one cursor drains the same documents raw; what has changed against everything.

BENCH_RECORDS sets how many records there are (200,000 by default). Each rack has 200 of them, as a counter leaves them:
one after the other.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from bson.codec_options import CodecOptions
from pymongo import MongoClient
from pymongo.database import Database

from analytics.extract import moment
from analytics.extract.gate import Terms
from analytics.extract.task import Task
from analytics.lake.parts import ROWS_PER_PART
from analytics.lake.publish import Head
from stockverify import indexes
from stockverify.clients import Document
from stockverify.datasets import COLLECTED, RECORDS
from stockverify.services.embedded import Backends
from tests.analytics.stock import NOW, item, record, session

RECORDS_IN_ALL = int(os.environ.get("BENCH_RECORDS", "200000"))
RACK, BATCH = 200, 10_000

pytestmark = pytest.mark.bench


def rack_of(number: int) -> str:
    return f"R{number // RACK:06d}"


@pytest.fixture(scope="module")
def counted(embedded: Backends, mongo: "MongoClient[Document]") -> "Database[Document]":
    """A warehouse in which every line was counted."""
    database = mongo.get_database("bench_extract", codec_options=CodecOptions(tz_aware=True))
    indexes.ensure_blocking(database)
    for start in range(0, RECORDS_IN_ALL, BATCH):
        numbers = range(start, min(start + BATCH, RECORDS_IN_ALL))
        lines = [(rack_of(number), f"I{number % 50_000:06d}", float(number % 90)) for number in numbers]
        documents = [
            record(f"{random.getrandbits(128):032x}", rack, code, quantity, bin=str(number), damage_qty=quantity / 10)
            for number, (rack, code, quantity) in zip(numbers, lines, strict=True)
        ]
        database["verification_records"].insert_many(documents, ordered=False)
        book = [item(rack, code, qty, bin=str(n)) for n, (rack, code, qty) in zip(numbers, lines, strict=True)]
        database["erp_items"].insert_many(book, ordered=False)
        racks = sorted({rack for rack, _, _ in lines})
        database["verification_sessions"].insert_many([session(f"s-{start}-{rack}", rack) for rack in racks])
    return database


def snapshot(embedded: Backends, lake: Path, kind: str) -> dict[str, Any]:
    arguments = (str(embedded.settings.mongodb_uri), "bench_extract", str(lake), kind)
    command = [sys.executable, "-m", "tests.bench.extracting", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return cast(dict[str, Any], msgspec.json.decode(done.stdout.splitlines()[-1]))


def drained(database: "Database[Document]") -> float:
    """Seconds in which one cursor reads all records and nobody looks at them."""
    started = time.perf_counter()
    size = sum(len(cast(bytes, batch)) for batch in database["verification_records"].find_raw_batches({}))
    assert size > RECORDS_IN_ALL
    return time.perf_counter() - started


def written(database: "Database[Document]", root: Path) -> float:
    """Seconds in which all records become published Parquet."""
    with moment.moment(database, COLLECTED) as at:
        assert at is not None
        head = Head(snapshot_id="20260131T180000000Z-00000001", name="", as_of=at.as_of, created_at=NOW)
        task = Task(root, database, at, {}, head, Terms(), lambda: False, ROWS_PER_PART)
        started = time.perf_counter()
        task.publish(RECORDS, moment.batches(database, RECORDS, at), task.origin(RECORDS, None, ""))
        return time.perf_counter() - started


def test_extract_and_write_against_a_raw_cursor(counted: "Database[Document]", tmp_path: Path) -> None:
    drained(counted)
    for turn in range(3):
        raw, ours = drained(counted), written(counted, tmp_path / str(turn))
        sys.stdout.write(
            f"\n{RECORDS_IN_ALL:,} records: raw {RECORDS_IN_ALL / raw:,.0f}/s, extracted and written "
            f"{RECORDS_IN_ALL / ours:,.0f}/s: {raw / ours:.0%} of the raw rate (aim: 40 %)"
        )


def test_what_has_changed_against_everything(counted: "Database[Document]", embedded: Backends, tmp_path: Path) -> None:
    whole = snapshot(embedded, tmp_path, "whole")
    sys.stdout.write(f"\nwhole: {whole['seconds']:.2f} s, {whole['rows']:,} positions, peak {whole['peak']:,.0f} MiB")
    records, many = counted["verification_records"], RECORDS_IN_ALL // 100
    first = RECORDS_IN_ALL // 3
    in_racks = {"rack_id": {"$gte": rack_of(first), "$lt": rack_of(first + many)}}
    everywhere = {"_id": {"$in": [each["_id"] for each in records.aggregate([{"$sample": {"size": many}}])]}}
    fresh = [record(f"new-{number}", f"N{number // RACK}", "I000001", 1.0, bin=str(number)) for number in range(many)]
    for name, change in {
        "nothing": lambda: None,
        "1 % in few racks": lambda: records.update_many(in_racks, {"$inc": {"verified_qty": 1.0}}),
        "1 % new": lambda: records.insert_many(fresh, ordered=False),
        "1 % everywhere": lambda: records.update_many(everywhere, {"$inc": {"verified_qty": 1.0}}),
    }.items():
        change()
        taken = snapshot(embedded, tmp_path, "incremental")
        assert taken["base"]
        share = taken["seconds"] / whole["seconds"]
        sys.stdout.write(
            f"\n{name}: {taken['seconds']:.2f} s, {share:.1%} of a whole one (aim: 5 %), peak {taken['peak']:,.0f} MiB"
        )
