"""Receives batches: reads what is stored about them, has the rules decide, and has that written."""

import asyncio
import random
import uuid
from datetime import UTC, datetime
from typing import NamedTuple

import structlog
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from ingest.auth.rules import Caller
from ingest.live.feed import Feed
from ingest.metrics import observe
from ingest.sync import events, receipts, rules
from ingest.sync.batches import read_batch
from ingest.sync.group_commit import GroupCommit
from ingest.sync.incoming import Batch
from ingest.sync.outcomes import Outcome
from ingest.sync.reading import WorldReader
from ingest.sync.rules import Decision
from ingest.sync.world import World
from ingest.sync.writes import Writes
from ingest.sync.writing import Decided, Writer
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
_REMEMBERED = 10_000


class Answer(NamedTuple):
    """What became of a body: one outcome for each record, in request order."""

    batch_id: str | None
    outcomes: tuple[Outcome, ...]


class SyncStore:
    """Stores batches exactly once."""

    def __init__(self, client: AsyncMongoClient[Document], database: AsyncDatabase[Document], feed: Feed) -> None:
        self._feed, self._reader = feed, WorldReader(database)
        self._commits = GroupCommit(Writer(client, database).written)
        self._receipts = database[Collection.BATCHES]
        self._answered: dict[str, None] = {}

    async def receive(self, body: bytes, caller: Caller) -> Answer:
        """Store what a body holds. Raises NotABatch and its like, or Unavailable."""
        receipt_id = receipts.receipt_id(body, caller)
        if receipt_id in self._answered and (again := await self._repeated(receipt_id, body)):
            return again
        batch = await asyncio.to_thread(read_batch, body) if len(body) > LARGE else read_batch(body)
        decision = await self.accept(batch, caller, receipt_id)
        self._remember(receipt_id)
        return Answer(batch.batch_id, decision.outcomes)

    async def accept(self, batch: Batch, caller: Caller, receipt_id: str) -> Decision:
        """Decide and store a batch; every outcome in the reply is durable. Raises Unavailable when it cannot be."""
        for attempt in range(_ATTEMPTS):
            world, now = await self._reader.read(batch.records, caller), datetime.now(UTC)
            decision = rules.decide_batch(batch.records, world, caller, now)
            if not decision.writes:
                return decision
            if attempt:
                receipt_id = await self._unused(receipt_id)
            receipt = receipts.receipt(receipt_id, batch.batch_id, decision.outcomes, decision.writes, caller, now)
            if await self._commits.written(Decided(decision.writes, world.racks, receipt)):
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

    async def _repeated(self, receipt_id: str, body: bytes) -> Answer | None:
        receipt = await self._receipts.find_one({"_id": receipt_id})
        outcomes = receipts.repeated(receipt, body) if receipt else None
        return Answer(receipt["batch_id"], outcomes) if receipt and outcomes else None

    def _remember(self, receipt_id: str) -> None:
        """Bodies that this process has answered. Only for those is it worth the time to look for a receipt first; a
        replay that comes to another process, or after a restart, is recognised by its records."""
        self._answered[receipt_id] = None
        if len(self._answered) > _REMEMBERED:
            del self._answered[next(iter(self._answered))]

    async def _unused(self, receipt_id: str) -> str:
        """A body that was not all `ok` the first time may store more this time, and has another receipt then."""
        taken = await self._receipts.find_one({"_id": receipt_id}, {"_id": 1})
        return f"{receipt_id}-{uuid.uuid4().hex}" if taken else receipt_id
