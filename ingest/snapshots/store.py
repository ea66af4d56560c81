"""Snapshots: MongoDB keeps what a report is called and where it comes from; the lake keeps all rows."""

import time
import uuid
from datetime import UTC, datetime

from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.reports import errands
from ingest.reports.answers import Rows, Totals
from ingest.reports.errands import Report
from ingest.reports.room import Room
from ingest.reports.rules import place_of
from ingest.reports.store import ReportStore
from ingest.scopes.rules import EVERYWHERE, check_made, floors_of, made_within, within
from ingest.snapshots import rules
from ingest.snapshots.lineage import References
from stockverify.clients import Document, as_stored
from stockverify.vocabulary import Action, Collection
from stockverify.wire.lineage import SnapshotLineage
from stockverify.wire.reports import CreateSnapshot, Snapshot, SnapshotDeleted, SnapshotPage, SnapshotPinned

_LISTED = 1000


class SnapshotStore:
    """Reads and writes snapshots."""

    def __init__(
        self, database: AsyncDatabase[Document], room: Room, reports: ReportStore, activity: ActivityStore
    ) -> None:
        self._snapshots, self._pins = database[Collection.REPORT_SNAPSHOTS], database[Collection.PINS]
        self._room, self._reports, self._activity = room, reports, activity
        self._references = References(database)

    async def create(self, request: CreateSnapshot, caller: Caller, refreshed_from: Document | None = None) -> Snapshot:
        """Freeze the data as it is now, and keep the rows of a query on it, within what the caller may see."""
        floors = within(caller, refreshed_from)
        await self._room.run(errands.Check(spec=request.query_spec), type(None), EVERYWHERE)
        freeze_id = await self._reports.fresh_freeze(caller, f"For {request.name}")
        started = time.perf_counter()
        report = Report(freeze_id, request.query_spec, f"rs-{uuid.uuid4().hex[:16]}")
        found = await self._room.run(errands.Keep(report=report, now=datetime.now(UTC)), Totals, floors)
        origin = refreshed_from["_id"] if refreshed_from else None
        made = rules.report_document(report, request, found, _since(started), caller, datetime.now(UTC), origin)
        made["floors"] = list(floors)
        await self._snapshots.insert_one(made)
        return rules.report_summary(made)

    async def refresh(self, snapshot_id: str, caller: Caller) -> Snapshot:
        """A new snapshot of the same query. A freeze is refreshed by taking another one."""
        old = await self._stored(snapshot_id, caller)
        if old is None:
            return await self._freeze(await self._reports.fresh_freeze(caller), caller)
        return await self.create(rules.again(old), caller, old)

    async def snapshots(
        self, caller: Caller, created_by: str | None, snapshot_type: str | None, tags: str | None, limit: int
    ) -> list[Snapshot]:
        """Reports and freezes, newest first."""
        wanted: Document = ({"created_by": created_by} if created_by else {}) | made_within(caller)
        reports = await self._snapshots.find(wanted).sort("created_at", -1).limit(_LISTED).to_list()
        pins = {pin["_id"] for pin in await self._pins.find().sort("_id", 1).to_list()}
        freezes = await self._room.run(errands.List(), list[Snapshot], caller.floors)
        listed = [*map(rules.report_summary, reports), *freezes]
        kept = [rules.pinned(each, pins) for each in listed if rules.keep(each, created_by, snapshot_type, tags)]
        return sorted(kept, key=lambda each: each.created_at, reverse=True)[:limit]

    async def snapshot(self, snapshot_id: str, caller: Caller, skip: int, limit: int) -> SnapshotPage:
        """One page of a snapshot's rows."""
        document = await self._snapshots.find_one({"_id": snapshot_id})
        asked = errands.Page(place=place_of(snapshot_id, document), skip=skip, limit=limit)
        found = await self._room.run(asked, Rows, within(caller, document))
        return rules.page_of(snapshot_id, document, found, asked)

    async def lineage(self, snapshot_id: str, caller: Caller) -> SnapshotLineage:
        """Where it comes from and what refers to it. Raises SnapshotUnknown, OutOfReach, or what the lake raises."""
        document = await self._stored(snapshot_id, caller)
        pin = await self._pins.find_one({"_id": snapshot_id})
        return rules.lineage(snapshot_id, document, pin, await self._references.uses(snapshot_id))

    async def delete(self, snapshot_id: str, caller: Caller, now: datetime) -> SnapshotDeleted:
        """Forget a report, then remove its rows: if that fails they are swept away later. Its freeze stays."""
        document = await self._stored(snapshot_id, caller)
        if document is None:
            raise rules.FreezeNeverDeleted(snapshot_id=snapshot_id)
        rules.may_delete(document, caller, await self._pins.find_one({"_id": snapshot_id}) is not None)
        if (await self._snapshots.delete_one({"_id": snapshot_id})).deleted_count:
            told = {"name": document["name"], "freeze_id": document["freeze_id"], "created_by": document["created_by"]}
            await self._activity.note(Action.SNAPSHOT_DELETED, caller, snapshot_id, now, **told)
        await self._room.run(errands.Forget(report_id=snapshot_id), type(None), floors_of(document))
        return SnapshotDeleted(snapshot_id=snapshot_id)

    async def pin(self, snapshot_id: str, caller: Caller, now: datetime) -> SnapshotPinned:
        """Keep a snapshot whatever retention says; pinning it again changes nothing."""
        await self._stored(snapshot_id, caller)
        pin = {"$setOnInsert": {"pinned_by": caller.username, "pinned_at": as_stored(now)}}
        if (await self._pins.update_one({"_id": snapshot_id}, pin, upsert=True)).upserted_id is not None:
            await self._activity.note(Action.SNAPSHOT_PINNED, caller, snapshot_id, now)
        return SnapshotPinned(snapshot_id=snapshot_id, pinned=True)

    async def unpin(self, snapshot_id: str, caller: Caller, now: datetime) -> SnapshotPinned:
        """Leave a snapshot to retention again."""
        await self._stored(snapshot_id, caller)
        if (await self._pins.delete_one({"_id": snapshot_id})).deleted_count:
            await self._activity.note(Action.SNAPSHOT_UNPINNED, caller, snapshot_id, now)
        return SnapshotPinned(snapshot_id=snapshot_id, pinned=False)

    async def _stored(self, snapshot_id: str, caller: Caller) -> Document | None:
        """The report of that id; None for a freeze. Raises SnapshotUnknown, OutOfReach, or what the lake raises."""
        document = await self._snapshots.find_one({"_id": snapshot_id})
        if document is None:
            await self._freeze(snapshot_id, caller)
        else:
            check_made(document, caller)
        return document

    async def _freeze(self, snapshot_id: str, caller: Caller) -> Snapshot:
        return await self._room.run(errands.Find(snapshot_id=snapshot_id), Snapshot, caller.floors)


def _since(started: float) -> float:
    """Milliseconds."""
    return round((time.perf_counter() - started) * 1000, 1)
