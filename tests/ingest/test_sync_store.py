"""The store by itself: what it does when somebody else is faster, what it tells of, and outages in mid-transaction."""

import os
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pymongo
import pytest
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from ingest.auth.rules import Caller
from ingest.live.feed import Feed
from ingest.outages import PATIENCE_SECONDS, is_outage
from ingest.sync import rules
from ingest.sync.batches import read_batch
from ingest.sync.receipts import receipt, receipt_id
from ingest.sync.store import SyncStore
from ingest.sync.writes import Writes
from stockverify import clients, indexes
from stockverify.clients import Document
from stockverify.errors import Unavailable
from stockverify.services.embedded import backends
from stockverify.settings import Settings
from stockverify.vocabulary import Role
from tests.service import record

CALLER = Caller("u-1", "asha", Role.STAFF, "l-1", "phone")
GRANT = {"session_id": "s-1", "rack_id": "R1", "floor": "Ground"}
RACK = {"_id": "R1", "floor": "Ground", "fence": 1, "round": 1, "status": "claimed", "session_id": "s-1"}
SESSION = {
    "_id": "s-1",
    "user_id": "u-1",
    "username": "asha",
    **{key: RACK[key] for key in ("floor", "fence", "round")},
}


class Place:
    """A store over a database of its own, with one claimed rack, and what it told."""

    def __init__(self, client: "pymongo.AsyncMongoClient[Document]", database: AsyncDatabase[Document]) -> None:
        self.client, self.database = client, database
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.feed = Feed(lambda message, channel: self.told.append((channel, message)))
        self.store = SyncStore(client, database, self.feed)

    async def prepare(self) -> None:
        await indexes.ensure(self.database)
        await self.database.rack_registry.insert_one(dict(RACK))
        await self.database.verification_sessions.insert_one(SESSION | {"rack_id": "R1"})

    async def counts(self) -> dict[str, int]:
        names = ("verification_records", "sync_conflicts", "sync_batches", "item_serials")
        return {name: await self.database[name].count_documents({}) for name in names}


@pytest.fixture
async def place(settings: Settings) -> AsyncIterator[Place]:
    async with clients.open_async_mongo(settings.mongodb_uri or "") as client:
        made = Place(client, clients.async_database(client, settings))
        await made.prepare()
        yield made


def body(*records: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"records": records, "batch_id": "b-1"})


async def test_nobody_decides_on_what_somebody_else_has_changed_since(place: Place) -> None:
    sent, now = body(record(GRANT, "c-1")), datetime.now(UTC)
    batch = read_batch(sent)
    world = await place.store._reader.read(batch.records, CALLER)
    decision = rules.decide_batch(batch.records, world, CALLER, now)
    await place.database.rack_registry.update_one({"_id": "R1"}, {"$inc": {"batches": 1}})  # a settlement, say
    kept = receipt(receipt_id(sent, CALLER), "b-1", decision.outcomes, decision.writes, CALLER, now)
    assert await place.store._written(decision.writes, world, kept) is False
    assert set((await place.counts()).values()) == {0}
    assert [outcome.message for outcome in (await place.store.receive(sent, CALLER)).outcomes] == ["Stored."]


async def test_a_batch_is_told_of_once_when_it_is_durable(place: Place) -> None:
    sent = body(record(GRANT, "c-1", "A"), record(GRANT, "c-2", "B"), record(GRANT, "c-3", "C", damage_qty=11))
    for _ in range(2):
        await place.store.receive(sent, CALLER)
    told = [(channel, message["type"], message["data"]) for channel, message in place.told]
    assert told == [
        (
            "session:updates:s-1",
            "records.synced",
            {"user_id": "u-1", "session_id": "s-1", "rack_id": "R1", "ok": 2, "conflicts": 1},
        ),
        ("global:notifications", "conflict.found", {"by_type": {"invalid_quantity": 1}}),
        (
            "rack:updates:R1",
            "rack.changed",
            {"rack_id": "R1", "floor": "Ground", "status": "active", "session_id": "s-1"},
        ),
    ]
    place.told.clear()
    await place.store.receive(body(record(GRANT, "c-4", "D")), CALLER)
    assert [channel for channel, _ in place.told] == ["session:updates:s-1"], "the rack was active already"


async def test_an_edit_reads_what_it_needs_of_the_version_before(place: Place) -> None:
    first = record(GRANT, "c-1", "A", serial_numbers=["S1"], revision=1)
    edits = [first | {"serial_numbers": ["S2"], "revision": 2}, first | {"serial_numbers": [], "revision": 3}]
    messages = [(await place.store.receive(body(sent), CALLER)).outcomes[0].message for sent in (first, *edits)]
    assert messages == ["Stored.", "Stored as a newer version.", "Stored as a newer version."]
    for replay in (edits[0], first):
        answer = await place.store.receive(body(replay, record(GRANT, "c-2", "B")), CALLER)
        assert answer.outcomes[0].message == "Stored before."
    assert await place.counts() | {"sync_batches": 0} == {
        "verification_records": 2,
        "sync_conflicts": 0,
        "sync_batches": 0,
        "item_serials": 0,
    }
    assert await place.database.record_history.count_documents({}) == 2


class StopsBeforeCommit(SyncStore):
    """MongoDB freezes when everything is written and nothing committed."""

    mongod: int

    async def _move_serials(self, writes: Writes, transaction: AsyncClientSession) -> None:
        await super()._move_serials(writes, transaction)
        os.kill(self.mongod, signal.SIGSTOP)


@pytest.mark.faults
async def test_an_outage_in_mid_transaction_ends_in_time_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    sent = body(*(record(GRANT, f"c-{n}", f"I{n}", serial_numbers=[f"S{n}"]) for n in range(50)))
    with backends(Settings(data_dir=tmp_path)) as started:
        mongod = started.children[0].pid
        async with clients.open_async_mongo(started.settings.mongodb_uri or "") as client:
            place = Place(client, clients.async_database(client, started.settings))
            await place.prepare()
            frozen = StopsBeforeCommit(client, place.database, place.feed)
            frozen.mongod, began = mongod, time.monotonic()
            try:
                with pymongo.timeout(PATIENCE_SECONDS), pytest.raises(Exception) as failure:
                    await frozen.receive(sent, CALLER)
                took = time.monotonic() - began
            finally:
                os.kill(mongod, signal.SIGCONT)
            assert is_outage(failure.value), failure.value
            assert took < 2
            assert (set((await place.counts()).values()), place.told) == ({0}, [])
            await accepted_at_last(place, sent)
            assert (await place.counts())["item_serials"] == 50


async def accepted_at_last(place: Place, sent: bytes) -> None:
    """MongoDB holds the locks of a transaction that nobody ended for a few seconds more."""
    deadline = time.monotonic() + 20
    while True:
        try:
            answer = await place.store.receive(sent, CALLER)
        except Unavailable:
            assert time.monotonic() < deadline
        else:
            assert {outcome.message for outcome in answer.outcomes} == {"Stored."}
            return
