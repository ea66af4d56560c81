"""Conflicts in MongoDB. Settling one is one transaction: the conflict, the records, their history, the audit log."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.conflicts import documents, rules
from ingest.conflicts.plans import plan
from ingest.conflicts.proposals import merged_fields, proposal
from ingest.conflicts.reading import AroundReader
from ingest.conflicts.writing import PlanWriter
from ingest.live.feed import Feed
from ingest.outages import patiently
from ingest.sync.writes import Writes
from ingest.transactions import transact_until_done
from stockverify.breaker import Breaker
from stockverify.clients import Document, as_stored
from stockverify.errors import BadInput, NotFound, Refused
from stockverify.vocabulary import (
    GLOBAL_CHANNEL,
    Action,
    Collection,
    ConflictStatus,
    ConflictType,
    EventType,
    Resolution,
    session_channel,
)
from stockverify.wire.conflicts import (
    BatchResolve,
    BatchResolved,
    Conflict,
    ConflictInFull,
    Conflicts,
    ConflictStats,
    ResolveConflict,
    Unresolved,
)

_VERSIONS_SHOWN = 20


class ConflictStore:
    """Reads and settles conflicts."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: AsyncDatabase[Document],
        activity: ActivityStore,
        feed: Feed,
        breaker: Breaker,
    ) -> None:
        self._client, self._activity, self._feed, self._breaker = client, activity, feed, breaker
        self._conflicts, self._history = database[Collection.CONFLICTS], database[Collection.RECORD_HISTORY]
        self._reader, self._writer = AroundReader(database), PlanWriter(database)

    async def listed(
        self, caller: Caller, limit: int, kinds: Sequence[ConflictType] = (), **filters: str | None
    ) -> Conflicts:
        """Conflicts that the caller may see, newest first."""
        wanted = rules.wanted(caller, kinds, **filters)
        total = await self._conflicts.count_documents(wanted)
        found = await self._conflicts.find(wanted).sort("created_at", -1).limit(limit).to_list()
        return Conflicts(conflicts=[documents.shown(each) for each in found], total=total)

    async def one(self, conflict_id: str, caller: Caller) -> ConflictInFull:
        """One conflict with the history of its record. Raises ConflictNotFound or NotYourConflict."""
        conflict = rules.visible(await self._conflicts.find_one({"_id": conflict_id}), conflict_id, caller)
        if not documents.is_record(conflict):
            return documents.in_full(conflict, [])
        versions = self._history.find({"client_record_id": conflict["client_record_id"]})
        newest = versions.sort([("received_at", -1), ("settled.at", -1)]).limit(_VERSIONS_SHOWN)
        return documents.in_full(conflict, await newest.to_list())

    async def stats(self, caller: Caller) -> ConflictStats:
        """How many the caller may see, by status and by type."""
        wanted = rules.scope(caller)
        if "user_id" not in wanted:  # so that an index serves it
            wanted["status"] = {"$in": [status.value for status in ConflictStatus]}
        kind = {"status": "$status", "conflict_type": "$conflict_type"}
        stages: list[dict[str, Any]] = [{"$match": wanted}, {"$group": {"_id": kind, "count": {"$sum": 1}}}]
        return documents.stats(await (await self._conflicts.aggregate(stages)).to_list())

    async def resolve(self, conflict_id: str, request: ResolveConflict, caller: Caller, now: datetime) -> Conflict:
        """Settle a conflict; the same again changes nothing. Raises ConflictSettled and whatever speaks against it."""
        now = as_stored(now)

        async def work(transaction: AsyncClientSession) -> tuple[Document, bool]:
            conflict = await self._conflicts.find_one({"_id": conflict_id}, session=transaction)
            conflict = rules.visible(conflict, conflict_id, caller)
            merged = merged_fields(conflict, request.resolution, request.merged_data)
            if not rules.is_pending(conflict):
                return rules.same_outcome(conflict, request.resolution, merged), False
            outcome = rules.outcome(request, merged, caller, now)
            return await self._settle(conflict, outcome, caller, now, transaction), True

        settled, fresh = await transact_until_done(self._client, work)
        if fresh:
            self._tell(settled, now)
        return documents.shown(settled)

    async def resolve_all(self, request: BatchResolve, caller: Caller, now: datetime) -> BatchResolved:
        """Settle each conflict by itself, in the order of the request; what stands against one costs only that one."""
        if request.resolution is Resolution.MERGE:
            raise rules.MergeInBatch()
        alike = ResolveConflict(resolution=request.resolution, resolution_note=request.resolution_note)
        resolved, errors = [], []
        for conflict_id in dict.fromkeys(request.conflict_ids):
            settle = partial(self.resolve, conflict_id, alike, caller, now)
            try:
                await patiently(self._breaker, settle)
                resolved.append(conflict_id)
            except (BadInput, NotFound, Refused) as error:
                errors.append(Unresolved(id=conflict_id, error=error.message))
        return BatchResolved(resolved=resolved, errors=errors)

    async def _settle(
        self, conflict: Document, outcome: Document, caller: Caller, now: datetime, transaction: AsyncClientSession
    ) -> Document:
        """Of several that settle at once one changes the pending conflict; the others run again and find it settled."""
        pending = {"_id": conflict["_id"], "status": ConflictStatus.PENDING.value}
        await self._conflicts.update_one(pending, {"$set": outcome}, session=transaction)
        settled, writes = conflict | outcome, Writes()
        if outcome["resolution"] in (Resolution.ACCEPT_LOCAL, Resolution.MERGE):
            writes = await self._accept(settled, transaction)
        details = documents.audited(settled, writes)
        await self._activity.note(Action.CONFLICT_RESOLVED, caller, conflict["_id"], now, transaction, **details)
        return settled

    async def _accept(self, settled: Document, transaction: AsyncClientSession) -> Writes:
        """Make what the device sent current, as it is or merged."""
        proposed = proposal(settled, settled["merged_data"])
        place = await self._reader.place(proposed, transaction)
        around = await self._reader.around(proposed, place, transaction)
        mark = {"by": settled["resolved_by"], "at": settled["resolved_at"], "conflict_id": settled["_id"]}
        writes = plan(proposed, place, around, mark)
        await self._writer.write(writes, transaction)
        return writes

    def _tell(self, conflict: Document, now: datetime) -> None:
        told = documents.told(conflict)
        for channel in (GLOBAL_CHANNEL, session_channel(conflict["session_id"])):
            self._feed.tell(EventType.CONFLICT_RESOLVED, channel, now, **told)
