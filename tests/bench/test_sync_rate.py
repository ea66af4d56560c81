"""The rate of batch sync over HTTP as a ratio to raw `insert_many` of the same documents with the same durability."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from stockverify import indexes
from stockverify.vocabulary import Collection
from tests.service import Service, claim, record

BATCH = 100
BATCHES = 40
DEVICES = 8

pytestmark = pytest.mark.bench


def timed(work: Callable[[int], None], workers: int) -> float:
    """Seconds until `workers` threads have each done their work, started together."""
    barrier = threading.Barrier(workers + 1)

    def run(place: int) -> None:
        barrier.wait()
        work(place)

    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(run, place) for place in range(workers)]
        barrier.wait()
        started = time.perf_counter()
        for each in waiting:
            each.result()
        return time.perf_counter() - started


@pytest.mark.parametrize("devices", [1, DEVICES])
def test_batch_sync_against_raw_inserts(
    service: Service, stored: Database[dict[str, Any]], mongo: "MongoClient[dict[str, Any]]", devices: int
) -> None:
    people = [service.person() for _ in range(devices)]
    grants = [claim(person, service.rack("bench")) for person in people]

    def batches(place: int, mark: str) -> list[list[dict[str, Any]]]:
        rack = grants[place]["rack_id"]
        return [
            [record(grants[place], f"{rack}-{mark}-{batch}-{n}", f"ITEM-{batch}-{n}") for n in range(BATCH)]
            for batch in range(BATCHES)
        ]

    bodies = [batches(place, "a") for place in range(devices)]

    def sync_all(place: int) -> None:
        for body in bodies[place]:
            reply = people[place].post("/api/sync/batch", json={"records": body})
            assert len(reply.json()["ok"]) == BATCH, reply.text

    first = timed(sync_all, devices)
    replay = timed(sync_all, devices)

    raw = mongo[f"{stored.name}_raw_{devices}"]
    raw[Collection.RECORDS].create_indexes(list(indexes.INDEXES[Collection.RECORDS]))
    like = list(stored[Collection.RECORDS].find({"rack_id": grants[0]["rack_id"]}).limit(BATCH))

    def insert_all(place: int) -> None:
        for batch in range(BATCHES):
            rows = [row | {"_id": f"{place}-{batch}-{n}"} for n, row in enumerate(like)]
            raw[Collection.RECORDS].insert_many(rows)

    limit = timed(insert_all, devices)
    total = devices * BATCHES * BATCH
    print(
        f"\n  batch sync, {devices} device(s): {total / first:,.0f} records/s = {limit / first:.2f} of raw insert_many"
        f" ({total / limit:,.0f} records/s, w=majority, journaled, same indexes);"
        f" a replay takes {replay / first:.2f} of the first delivery"
    )
