"""Writes what was decided about a batch, in one transaction.

The fence is checked in the transaction that stores the records: it writes to the rack's document under the condition
that the rack is still as the decision saw it. Whoever comes second (a duplicate delivered at the same time, a claim or
a settlement in between) makes the transaction fail; the batch is then read and decided again.
"""

import asyncio
import random
import uuid
from datetime import UTC, datetime
from typing import Any, NamedTuple

import structlog
from pymongo import AsyncMongoClient, DeleteOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from ingest.auth.rules import Caller
from ingest.live.feed import Feed
from ingest.metrics import observe
from ingest.sync import events, receipts, rules
from ingest.sync.batches import read_batch
from ingest.sync.incoming import Batch
from ingest.sync.outcomes import Outcome
from ingest.sync.reading import WorldReader
from ingest.sync.rules import Decision
from ingest.sync.world import World
from ingest.sync.writes import Writes
from ingest.transactions import transact
from stockverify.clients import Document
from stockverify.errors import Unavailable
from stockverify.vocabulary import Collection
from stockverify.wire.sync import Receipt

LARGE = 256 * 1024
"""A body above this is read in a thread, so that heartbeats of others do not wait for it."""

_log = structlog.get_logger("ingest.sync")
_ATTEMPTS = 12
_LONGEST_PAUSE_SECONDS = 0.1
_RECEIPTS_SHOWN = 100
_DUPLICATE_KEY = 11000
_AGAIN = ("TransientTransactionError", "UnknownTransactionCommitResult")


class Overtaken(Exception):
    """Somebody else changed what the decision was based on; decide again."""


class Answer(NamedTuple):
    """What became of a body: one outcome for each record, in request order."""

    batch_id: str | None
    outcomes: tuple[Outcome, ...]


class SyncStore:
    """Stores batches exactly once."""

    def __init__(self, client: AsyncMongoClient[Document], database: AsyncDatabase[Document], feed: Feed) -> None:
        self._client, self._feed, self._reader = client, feed, WorldReader(database)
        self._records, self._history = database[Collection.RECORDS], database[Collection.RECORD_HISTORY]
        self._sessions, self._racks = database[Collection.SESSIONS], database[Collection.RACKS]
        self._serials, self._conflicts = database[Collection.SERIALS], database[Collection.CONFLICTS]
        self._receipts = database[Collection.BATCHES]

    async def receive(self, body: bytes, caller: Caller) -> Answer:
        """Store what a body holds. Raises NotABatch and its like, or Unavailable."""
        receipt_id = receipts.receipt_id(body, caller)
        receipt = await self._receipts.find_one({"_id": receipt_id})
        if receipt and (outcomes := receipts.repeated(receipt, body)):
            return Answer(receipt["batch_id"], outcomes)
        if receipt:  # some of it was not `ok`, so that it may store more this time, and have another receipt
            receipt_id += f"-{uuid.uuid4().hex}"
        batch = await asyncio.to_thread(read_batch, body) if len(body) > LARGE else read_batch(body)
        return Answer(batch.batch_id, (await self.accept(batch, caller, receipt_id)).outcomes)

    async def accept(self, batch: Batch, caller: Caller, receipt_id: str) -> Decision:
        """Decide and store a batch; every outcome in the reply is durable. Raises Unavailable when it cannot be."""
        for attempt in range(_ATTEMPTS):
            world, now = await self._reader.read(batch.records, caller), datetime.now(UTC)
            decision = rules.decide_batch(batch.records, world, caller, now)
            if not decision.writes:
                return decision
            receipt = receipts.receipt(receipt_id, batch.batch_id, decision.outcomes, decision.writes, caller, now)
            if await self._written(decision.writes, world, receipt):
                self._tell(decision.writes, world, now)
                return decision
            observe.retried()
            await asyncio.sleep(random.random() * min(0.004 * 2**attempt, _LONGEST_PAUSE_SECONDS))
        _log.warning("batch_overtaken", attempts=_ATTEMPTS, records=len(batch.records))
        raise Unavailable(service="MongoDB", retry_after=1)

    async def receipts(self, batch_id: str, caller: Caller) -> list[Receipt]:
        """The receipts of a batch, newest first. Raises BatchNotFound."""
        found = self._receipts.find(receipts.visible_to(caller, batch_id)).sort("received_at", -1)
        return receipts.described(await found.limit(_RECEIPTS_SHOWN).to_list(), batch_id)

    def _tell(self, writes: Writes, world: World, now: datetime) -> None:
        for event in events.of_batch(writes, world):
            self._feed.tell(event.kind, event.channel, now, **event.data)

    async def _written(self, writes: Writes, world: World, receipt: Document) -> bool:
        """False when somebody else was faster."""
        try:
            await transact(self._client, lambda transaction: self._write(writes, world, receipt, transaction))
        except (Overtaken, DuplicateKeyError):
            return False
        except PyMongoError as error:
            if any(error.has_error_label(label) for label in _AGAIN) or _is_duplicate(error):
                return False
            raise
        return True

    async def _write(self, writes: Writes, world: World, receipt: Document, transaction: AsyncClientSession) -> None:
        for rack_id in sorted(writes.racks):
            await self._hold_fence(world.racks[rack_id], transaction)
        inserts = (
            (self._sessions, writes.sessions),
            (self._records, writes.inserts),
            (self._serials, writes.new_serials),
            (self._conflicts, writes.conflicts),
        )
        for collection, made in inserts:
            if made:
                await collection.insert_many(list(made.values()), session=transaction)
        if writes.updates:
            replaced = [ReplaceOne(_as_seen(writes.replaced[id_]), new) for id_, new in writes.updates.items()]
            await self._all(self._records, replaced, transaction)
        if writes.history:
            kept = [UpdateOne({"_id": id_}, {"$setOnInsert": old}, upsert=True) for id_, old in writes.history.items()]
            await self._history.bulk_write(kept, session=transaction)
        await self._move_serials(writes, transaction)
        await self._receipts.insert_one(receipt, session=transaction)

    async def _hold_fence(self, rack: Document, transaction: AsyncClientSession) -> None:
        """`batches` rises with every write to the rack, so that nobody decides on what somebody else has changed."""
        seen = {"_id": rack["_id"], "fence": rack["fence"], "status": rack["status"], "batches": rack.get("batches")}
        change = {"$set": {"status": rules.after_record(rack["status"])}, "$inc": {"batches": 1}}
        if not (await self._racks.update_one(seen, change, session=transaction)).matched_count:
            raise Overtaken

    async def _move_serials(self, writes: Writes, transaction: AsyncClientSession) -> None:
        moved = [
            ReplaceOne({"_id": serial, "client_record_id": owner}, claim)
            for serial, (owner, claim) in writes.moved_serials.items()
        ]
        freed = [
            DeleteOne({"_id": serial, "client_record_id": owner}) for serial, owner in writes.freed_serials.items()
        ]
        if moved or freed:
            await self._all(self._serials, [*moved, *freed], transaction)

    async def _all(self, collection: Any, operations: list[Any], transaction: AsyncClientSession) -> None:
        """Every operation must find its document as the decision saw it."""
        outcome = await collection.bulk_write(operations, session=transaction)
        if outcome.matched_count + outcome.deleted_count != len(operations):
            raise Overtaken


def _as_seen(stored: Document) -> Document:
    names = ("_id", "digest", "updated_at", "revision")
    return {name: stored[name] for name in names} | {"settled": stored.get("settled")}


def _is_duplicate(error: PyMongoError) -> bool:
    problems = error.details.get("writeErrors", []) if isinstance(error, BulkWriteError) else []
    return any(problem.get("code") == _DUPLICATE_KEY for problem in problems)
