"""Reads what is stored about a batch and writes what was decided, in one transaction.

The fence is checked in the transaction that stores the records: it writes to the rack's document under the condition
that the fence is still the one that the decision saw. Whoever comes second (a duplicate delivered at the same time, a
claim in between) makes the transaction fail; the batch is then read and decided again.
"""

import asyncio
import random
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import structlog
from pymongo import AsyncMongoClient, DeleteOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from ingest.auth.rules import Caller
from ingest.live.feed import Feed
from ingest.sync import documents, rules
from ingest.sync.incoming import Batch, Incoming
from ingest.sync.rules import Decision, World, Writes
from ingest.transactions import transact
from stockverify.clients import Document
from stockverify.errors import Unavailable
from stockverify.vocabulary import Collection

_log = structlog.get_logger("ingest.sync")
_ATTEMPTS = 12
_DUPLICATE_KEY = 11000
_AGAIN = ("TransientTransactionError", "UnknownTransactionCommitResult")


class Overtaken(Exception):
    """Somebody else changed what the decision was based on; decide again."""


class SyncStore:
    """Stores batches exactly once."""

    def __init__(self, client: AsyncMongoClient[Document], database: AsyncDatabase[Document], feed: Feed) -> None:
        self._client, self._feed = client, feed
        self._records, self._history = database[Collection.RECORDS], database[Collection.RECORD_HISTORY]
        self._sessions, self._racks = database[Collection.SESSIONS], database[Collection.RACKS]
        self._serials, self._conflicts = database[Collection.SERIALS], database[Collection.CONFLICTS]
        self._items = database[Collection.ERP_ITEMS]

    async def accept(self, batch: Batch, caller: Caller) -> Decision:
        """Decide and store a batch; every outcome in the reply is durable. Raises Unavailable when it cannot be."""
        for attempt in range(_ATTEMPTS):
            world = await self._read(batch, caller)
            decision = rules.decide_batch(batch.records, world, caller, datetime.now(UTC))
            if not decision.writes or await self._written(decision.writes, world):
                return decision
            await asyncio.sleep(random.random() * 0.004 * 2**attempt)
        _log.warning("batch_overtaken", attempts=_ATTEMPTS, records=len(batch.records))
        raise Unavailable(service="MongoDB", retry_after=1)

    async def _written(self, writes: Writes, world: World) -> bool:
        """False when somebody else was faster."""
        try:
            await transact(self._client, lambda transaction: self._write(writes, world, transaction))
        except (Overtaken, DuplicateKeyError):
            return False
        except PyMongoError as error:
            if any(error.has_error_label(label) for label in _AGAIN) or _is_duplicate(error):
                return False
            raise
        return True

    async def _read(self, batch: Batch, caller: Caller) -> World:
        readable = [entry for entry in batch.records if isinstance(entry, Incoming)]
        world = World(records=await self._by_id(self._records, {each.record.client_record_id for each in readable}))
        fresh = [
            each
            for each in readable
            if not rules.already_stored(each, world.records.get(each.record.client_record_id), caller)
        ]
        if fresh:  # a pure replay ends here: it needs one read and no write
            await self._read_more(fresh, world, caller)
        return world

    async def _read_more(self, fresh: list[Incoming], world: World, caller: Caller) -> None:
        records = [each.record for each in fresh]
        serials = {serial for record in records for serial in record.serial_numbers or ()}
        serials |= {serial for stored in world.records.values() for serial in stored["serial_numbers"]}
        ids, codes = {record.client_record_id for record in records}, {record.item_code for record in records}
        earlier = [
            documents.history_id(each, caller) for each in fresh if each.record.client_record_id in world.records
        ]
        sessions = {record.session_id for record in records}
        sessions |= {stored["session_id"] for stored in world.records.values()}
        world.sessions, world.serials, conflicts, world.known_items, history = await asyncio.gather(
            self._by_id(self._sessions, sessions),
            self._by_id(self._serials, serials),
            self._conflicts.find({"client_record_id": {"$in": sorted(ids)}}).to_list(),
            self._known(codes),
            self._by_id(self._history, earlier),
        )
        world.known_history = set(history)
        world.conflicts = {conflict["_id"]: conflict for conflict in conflicts}
        rack_ids = {session["rack_id"] for session in world.sessions.values() if session["rack_id"]}
        held = [session for session in world.sessions.values() if session["rack_id"]]
        world.racks, neighbours = await asyncio.gather(
            self._by_id(self._racks, rack_ids), self._neighbours(held, codes)
        )
        for neighbour in neighbours:
            world.records.setdefault(neighbour["_id"], neighbour)
            world.lines.setdefault(rules.line_of(neighbour), {})[neighbour["_id"]] = neighbour["session_id"]

    async def _by_id(self, collection: Any, ids: Iterable[str]) -> dict[str, Document]:
        wanted = sorted(ids)
        found = await collection.find({"_id": {"$in": wanted}}).to_list() if wanted else []
        return {document["_id"]: document for document in found}

    async def _known(self, codes: Iterable[str]) -> set[str]:
        return set(await self._items.distinct("item_code", {"item_code": {"$in": sorted(codes)}}))

    async def _neighbours(self, sessions: list[Document], codes: set[str]) -> list[Document]:
        """Records of the same items in the same racks and rounds that other sessions had accepted."""
        places = [
            {
                "rack_id": session["rack_id"],
                "round": session["round"],
                "item_code": {"$in": sorted(codes)},
                "session_id": {"$ne": session["_id"]},
            }
            for session in sessions
        ]
        return await self._records.find({"$or": places}).to_list() if places else []

    async def _write(self, writes: Writes, world: World, transaction: AsyncClientSession) -> None:
        for rack_id in sorted(writes.racks):
            await self._hold_fence(world.racks[rack_id], transaction)
        inserts = (
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

    async def _hold_fence(self, rack: Document, transaction: AsyncClientSession) -> None:
        seen = {"_id": rack["_id"], "fence": rack["fence"], "status": rack["status"]}
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
    return {key: stored[key] for key in ("_id", "digest", "updated_at", "revision")}


def _is_duplicate(error: PyMongoError) -> bool:
    problems = error.details.get("writeErrors", []) if isinstance(error, BulkWriteError) else []
    return any(problem.get("code") == _DUPLICATE_KEY for problem in problems)
