"""The rate of batch sync over HTTP as a ratio to raw `insert_many` of the same documents with the same durability.

Bodies and documents are made before the clock starts. The load is one kept connection for each device: it takes a
twentieth of the time that the service and MongoDB take for a batch.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from stockverify import indexes
from stockverify.clients import Document, database
from stockverify.vocabulary import Collection
from tests.bench.line import Line
from tests.bench.measured import centile, resident_mib
from tests.service import Service, record

BATCH = 100
BATCHES = {1: 60, 8: 30, 20: 15}
WARM_UP = 5

pytestmark = pytest.mark.bench

Send = Callable[[Any], None]


class Device(Line):
    """A counter with batches that are encoded already."""

    def __init__(self, service: Service, batches: int) -> None:
        super().__init__(service)
        self.warm_up, self.bodies = self._made("w", WARM_UP), self._made("b", batches)

    def _made(self, mark: str, batches: int) -> list[bytes]:
        rack = self.grant["rack_id"]
        names = [[f"{mark}-{batch}-{place}" for place in range(BATCH)] for batch in range(batches)]
        records = [[record(self.grant, f"{rack}-{name}", f"ITEM-{name}") for name in batch] for batch in names]
        return [msgspec.json.encode({"records": each, "batch_id": f"{rack}-{mark}"}) for each in records]

    def send(self, body: bytes) -> None:
        """Post one batch; all of it is `ok`."""
        reply = self.call("POST", "/api/sync/batch", body)
        assert f'"success_count":{BATCH}'.encode() in reply, reply[:300]


def at_once(work: list[tuple[Send, list[Any]]]) -> tuple[float, list[float]]:
    """Seconds until all are done who started together, and the seconds that each piece took."""
    barrier, pieces = threading.Barrier(len(work) + 1), []

    def run(send: Send, load: list[Any]) -> None:
        barrier.wait()
        for piece in load:
            started = time.perf_counter()
            send(piece)
            pieces.append(time.perf_counter() - started)

    threads = [threading.Thread(target=run, args=each) for each in work]
    for thread in threads:
        thread.start()
    barrier.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    assert len(pieces) == sum(len(load) for _, load in work), "a thread has failed; see above"
    return time.perf_counter() - started, pieces


def raw_loads(stored: Database[Document], devices: int, mark: str, batches: int) -> list[list[list[Document]]]:
    """As many documents as the devices send, each like one that the service has stored."""
    like = stored[Collection.RECORDS].find_one({"_id": {"$regex": "^bench"}}) or {}
    return [
        [
            [like | {"_id": f"{mark}-{device}-{batch}-{n}", "item_code": f"ITEM-{batch}-{n}"} for n in range(BATCH)]
            for batch in range(batches)
        ]
        for device in range(devices)
    ]


@pytest.mark.parametrize("devices", sorted(BATCHES))
def test_batch_sync_against_raw_inserts(pair: Service, mongo: "MongoClient[Document]", devices: int) -> None:
    counters = [Device(pair, BATCHES[devices]) for _ in range(devices)]
    at_once([(device.send, device.warm_up) for device in counters])
    first, latencies = at_once([(device.send, device.bodies) for device in counters])
    again, _ = at_once([(device.send, device.bodies) for device in counters])
    for device in counters:
        device.close()

    stored = database(mongo, pair.settings)
    raw = mongo[f"{stored.name}_raw_{devices}"][Collection.RECORDS]
    raw.create_indexes(list(indexes.INDEXES[Collection.RECORDS]))
    at_once([(raw.insert_many, load) for load in raw_loads(stored, devices, "w", WARM_UP)])
    limit, raw_latencies = at_once(
        [(raw.insert_many, load) for load in raw_loads(stored, devices, "b", BATCHES[devices])]
    )

    total = devices * BATCHES[devices] * BATCH
    p50, p95, raw_p50 = centile(latencies, 50), centile(latencies, 95), centile(raw_latencies, 50)
    memory = " and ".join(f"{resident_mib(child.pid):.0f}" for child in pair.children)
    print(
        f"\n  | {devices} | {total / first:,.0f} | {total / limit:,.0f} | {limit / first:.2f} | {p50 * 1000:.1f} /"
        f" {p95 * 1000:.1f} | {p50 / raw_p50:.1f} | {again / first:.2f} | {memory} |"
        "  (devices, records/s, raw records/s, ratio, batch p50 / p95 in ms, p50 to raw p50, replay to first, MiB)"
    )
