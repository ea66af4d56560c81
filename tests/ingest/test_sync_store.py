"""The store by itself: what it does when somebody else is faster, what it tells of, and outages in mid-transaction."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pymongo
import pytest
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from ingest.auth.rules import Caller
from ingest.live.feed import Feed
from ingest.outages import PATIENCE_SECONDS, is_outage
from ingest.sync import rules
from ingest.sync.batches import read_batch
from ingest.sync.group_commit import GroupCommit
from ingest.sync.outcomes import Ok
from ingest.sync.receipts import receipt, receipt_id
from ingest.sync.store import SyncStore
from ingest.sync.writing import Decided, Writer
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

    async def counts(self, session: AsyncClientSession | None = None) -> dict[str, int]:
        names = ("verification_records", "sync_conflicts", "sync_batches", "item_serials")
        return {name: await self.database[name].count_documents({}, session=session) for name in names}

    async def counts_at_once(self) -> dict[str, int]:
        """All of them as they were at one moment."""
        async with self.client.start_session(snapshot=True) as session:
            return await self.counts(session)


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
    writer = Writer(place.client, place.database)
    assert await writer.written([Decided(decision.writes, world.racks, kept)]) is False
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


class Together(Writer):
    """Holds the first transaction back until three more batches wait; then somebody else writes to rack R2."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.client, place.database)
        self.racks, self.place, self.transactions = place.database.rack_registry, place, list[tuple[int, bool]]()
        self.commits = place.store._commits = GroupCommit(self.written)
        self.begun = asyncio.Event()

    async def written(self, batches: Sequence[Decided]) -> bool:
        self.begun.set()
        while not self.transactions and len(self.commits._waiting) < 3:  # noqa: ASYNC110 - nobody tells of those
            await asyncio.sleep(0.01)
        if not self.transactions:
            await self.racks.update_one({"_id": "R2"}, {"$inc": {"batches": 1}})
        self.transactions.append((len(batches), await super().written(batches)))
        return self.transactions[-1][1]


async def test_batches_that_wait_together_are_written_together(place: Place) -> None:
    """Four people on four racks; the rack of one of them is written to by somebody else meanwhile."""
    writer = Together(place)
    grants = [{"session_id": f"s-{n}", "rack_id": f"R{n}", "floor": "Ground"} for n in range(1, 5)]
    for grant in grants[1:]:
        await place.database.rack_registry.insert_one(
            RACK | {"_id": grant["rack_id"], "session_id": grant["session_id"]}
        )
        opened = SESSION | {"_id": grant["session_id"], "rack_id": grant["rack_id"]}
        await place.database.verification_sessions.insert_one(opened)
    sent = [body(record(grant, f"c-{grant['rack_id']}")) for grant in grants]
    first = asyncio.create_task(place.store.receive(sent[0], CALLER))
    await writer.begun.wait()
    answers = await asyncio.gather(first, *(place.store.receive(each, CALLER) for each in sent[1:]))
    assert [answer.outcomes[0].message for answer in answers] == ["Stored."] * 4
    assert writer.transactions[:2] == [(1, True), (3, False)], "together, and then each by itself"
    assert sorted(writer.transactions[2:]) == [(1, False), (1, True), (1, True), (1, True)]
    assert await place.counts() == {
        "verification_records": 4,
        "sync_conflicts": 0,
        "sync_batches": 4,
        "item_serials": 0,
    }
    racks = {rack["_id"]: rack["batches"] async for rack in place.database.rack_registry.find()}
    assert racks == {"R1": 1, "R2": 2, "R3": 1, "R4": 1}


async def test_two_of_the_same_name_are_never_one_document(place: Place) -> None:
    """Two devices send different counts under one id at the same moment: one is stored, the other kept aside."""
    for number in (2, 3):
        rack, session = f"R{number}", f"s-{number}"
        await place.database.rack_registry.insert_one(RACK | {"_id": rack, "session_id": session})
        await place.database.verification_sessions.insert_one(SESSION | {"_id": session, "rack_id": rack})
    grants = [{"session_id": f"s-{n}", "rack_id": f"R{n}", "floor": "Ground"} for n in range(1, 4)]
    sent = [body(record(grant, "c-1" if n else "c-0", verified_qty=n)) for n, grant in enumerate(grants)]
    answers = await asyncio.gather(*(place.store.receive(each, CALLER) for each in sent))
    kinds = sorted(type(answer.outcomes[0]).__name__ for answer in answers)
    assert kinds == ["Conflicted", "Ok", "Ok"]
    assert (await place.counts())["verification_records"] == 2
    assert (await place.counts())["sync_conflicts"] == 1


async def test_a_body_that_stores_more_another_time_has_another_receipt_in_every_process(place: Place) -> None:
    sent = body(record(GRANT, "c-1", "A"), record(GRANT, "c-2", "B", damage_qty=11))
    first = (await place.store.receive(sent, CALLER)).outcomes
    assert [type(outcome).__name__ for outcome in first] == ["Ok", "Conflicted"]
    await place.database.verification_records.delete_many({})  # as if a backup of an hour ago had been put back
    for process in (SyncStore(place.client, place.database, place.feed), place.store):
        again = (await process.receive(sent, CALLER)).outcomes
        assert [type(outcome).__name__ for outcome in again] == ["Ok", "Conflicted"]
    assert await place.counts() == {
        "verification_records": 1,
        "sync_conflicts": 1,
        "sync_batches": 2,
        "item_serials": 0,
    }


NOTHING = {"verification_records": 0, "sync_conflicts": 0, "sync_batches": 0, "item_serials": 0}
ALL_50 = NOTHING | {"verification_records": 50, "sync_batches": 1, "item_serials": 50}

ENDS = {  # a commit may be done a moment after the first look
    "half": [(NOTHING, "Stored.")],
    "whole": [(NOTHING, "Stored."), (NOTHING, "Stored before."), (ALL_50, "Stored before.")],
}


class Freezes(Writer):
    """MongoDB freezes with the records in it and the serial numbers on their way, or with the commit on its way."""

    def __init__(self, place: Place, mongod: int, when: str) -> None:
        super().__init__(place.client, place.database)
        self.mongod, self.when = mongod, when
        self.serials, self._serials = self._serials, self  # type: ignore[assignment]

    async def insert_many(self, made: list[Document], session: AsyncClientSession) -> None:
        if self.when == "half":
            os.kill(self.mongod, signal.SIGSTOP)
        await self.serials.insert_many(made, session=session)

    async def write(self, batches: Sequence[Decided], transaction: AsyncClientSession) -> None:
        await super().write(batches, transaction)
        os.kill(self.mongod, signal.SIGSTOP)


@pytest.mark.faults
@pytest.mark.parametrize("when", ["half", "whole"])
async def test_an_outage_in_mid_transaction_ends_in_time_and_leaves_nothing_half_written(
    tmp_path: Path, when: str
) -> None:
    """What was on its way when MongoDB froze is done when it thaws, be it the commit. The device is told 503 in time,
    and what it sends again is `ok` and there once, whether it is stored now or was then."""
    sent = body(*(record(GRANT, f"c-{n}", f"I{n}", serial_numbers=[f"S{n}"]) for n in range(50)))
    with backends(Settings(data_dir=tmp_path)) as started:
        mongod = started.children[0].pid
        async with clients.open_async_mongo(started.settings.mongodb_uri or "") as client:
            place = Place(client, clients.async_database(client, started.settings))
            await place.prepare()
            frozen = SyncStore(client, place.database, place.feed)
            frozen._commits = GroupCommit(Freezes(place, mongod, when).written)
            began = time.monotonic()
            try:
                with pymongo.timeout(PATIENCE_SECONDS), pytest.raises(Exception) as failure:
                    await frozen.receive(sent, CALLER)
                took = time.monotonic() - began
            finally:
                os.kill(mongod, signal.SIGCONT)
            assert is_outage(failure.value), failure.value
            assert took < 2
            assert place.told == []
            at_first, told = await place.counts_at_once(), await accepted_at_last(place, sent)
            assert (at_first, told) in ENDS[when]
            assert await place.counts_at_once() == ALL_50


async def accepted_at_last(place: Place, sent: bytes) -> str:
    """What all records are told: MongoDB holds the locks of a transaction that nobody ended for a few seconds more."""
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = await place.store.receive(sent, CALLER)
        except (Unavailable, PyMongoError) as error:
            assert isinstance(error, Unavailable) or is_outage(error), error
            assert time.monotonic() < deadline
        else:
            (told,) = {(type(outcome), outcome.message) for outcome in answer.outcomes}
            assert told[0] is Ok
            return told[1]
