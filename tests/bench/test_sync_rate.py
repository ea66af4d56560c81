"""The rate of batch sync over HTTP as a ratio to raw `insert_many` of the same documents with the same durability.

Bodies and documents are made before the clock starts. The load is one kept connection for each device: it takes a
twentieth of the time that the service and MongoDB take for a batch. Figures are medians of several turns, each of which
writes for seconds: one of half a second is over between two of MongoDB's own pauses, or is one.
"""

import threading
import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

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
BATCHES = {1: 200, 8: 100, 20: 40}
WARM_UP = 5
TURNS = 5

pytestmark = pytest.mark.bench

Send = Callable[[Any], None]


class Device(Line):
    """A counter with batches that are encoded already, for each turn and to warm up."""

    def __init__(self, service: Service, batches: int) -> None:
        super().__init__(service)
        self.warm_up = self._made("w", WARM_UP)
        self.bodies = [self._made(f"t{turn}", batches) for turn in range(TURNS)]

    def _made(self, mark: str, batches: int) -> list[bytes]:
        rack = self.grant["rack_id"]
        names = [[f"{mark}-{batch}-{place}" for place in range(BATCH)] for batch in range(batches)]
        records = [[record(self.grant, f"{rack}-{name}", f"ITEM-{name}") for name in batch] for batch in names]
        return [msgspec.json.encode({"records": each, "batch_id": f"{rack}-{mark}"}) for each in records]

    def send(self, body: bytes) -> None:
        """Post one batch; all of it is `ok`."""
        reply = self.call("POST", "/api/sync/batch", body)
        assert f'"success_count":{BATCH}'.encode() in reply, reply[:300]


class Turn(NamedTuple):
    """Seconds of a first delivery, of the same again and of raw inserts; single batches of the first and the last."""

    first: float
    again: float
    raw: float
    batches: list[float]
    raw_batches: list[float]


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


def one_turn(counters: list[Device], turn: int, insert: Send, loads: list[list[list[Document]]]) -> Turn:
    """The service and the raw limit right after each other, so that a slower minute of the machine hits both."""
    first, batches = at_once([(device.send, device.bodies[turn]) for device in counters])
    again, _ = at_once([(device.send, device.bodies[turn]) for device in counters])
    raw, raw_batches = at_once([(insert, load) for load in loads])
    return Turn(first, again, raw, batches, raw_batches)


@pytest.mark.parametrize("devices", sorted(BATCHES))
def test_batch_sync_against_raw_inserts(pair: Service, mongo: "MongoClient[Document]", devices: int) -> None:
    counters = [Device(pair, BATCHES[devices]) for _ in range(devices)]
    at_once([(device.send, device.warm_up) for device in counters])
    stored = database(mongo, pair.settings)
    raw = mongo[f"{stored.name}_raw_{devices}"][Collection.RECORDS]
    raw.create_indexes(list(indexes.INDEXES[Collection.RECORDS]))
    at_once([(raw.insert_many, load) for load in raw_loads(stored, devices, "w", WARM_UP)])
    loads = [raw_loads(stored, devices, f"t{turn}", BATCHES[devices]) for turn in range(TURNS)]
    turns = [one_turn(counters, turn, raw.insert_many, loads[turn]) for turn in range(TURNS)]
    for device in counters:
        device.close()

    total = devices * BATCHES[devices] * BATCH
    rate, limit = (
        median(total / seconds for seconds in each) for each in ([t.first for t in turns], [t.raw for t in turns])
    )
    ratio, replay = median(t.raw / t.first for t in turns), median(t.again / t.first for t in turns)
    slower = median(centile(t.batches, 50) / centile(t.raw_batches, 50) for t in turns)
    batches = [seconds * 1000 for t in turns for seconds in t.batches]
    memory = " and ".join(f"{resident_mib(child.pid):.0f}" for child in pair.children)
    print(
        f"\n  | {devices} | {rate:,.0f} | {limit:,.0f} | {ratio:.2f} | {centile(batches, 50):.1f} /"
        f" {centile(batches, 95):.1f} | {slower:.1f} | {replay:.2f} | {memory} |"
        "  (devices, records/s, raw records/s, ratio, batch p50 / p95 in ms, p50 to raw p50, replay to first, MiB)"
    )
