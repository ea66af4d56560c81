"""Reports: queries on live data and on freezes, report snapshots, comparisons, and what the worker is asked for.

What computes is asked of the reports process; here is what MongoDB keeps of it.
"""

import asyncio
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from ingest.auth.rules import Caller
from ingest.reports import errands, files, rules
from ingest.reports.errands import Made, Previewed, Rows, Totals
from ingest.reports.room import Room
from stockverify.clients import Document, as_stored
from stockverify.errors import Refused, Unavailable
from stockverify.settings import Settings
from stockverify.vocabulary import Collection, RunKind, RunStatus
from stockverify.wire.reports import (
    CollectionsReply,
    Compare,
    ComparisonJob,
    CreateSnapshot,
    PreviewReply,
    QuerySpec,
    RequestRun,
    Run,
    Snapshot,
    SnapshotDeleted,
    SnapshotPage,
)

_FRESH_FREEZE_SECONDS = 30
_LISTED = 1000


class FreezeFailed(Refused):
    """The worker could not take the snapshot that this report needs: {reason}"""


class WorkerAway(Unavailable):
    """The worker has not taken up the snapshot within {retry_after} seconds; it stays queued. Is the worker running?"""


class ReportStore:
    """Reads and writes reports."""

    def __init__(self, database: AsyncDatabase[Document], room: Room, settings: Settings) -> None:
        self._snapshots, self._runs = database[Collection.REPORT_SNAPSHOTS], database[Collection.RUNS]
        self._jobs = database[Collection.COMPARE_JOBS]
        self._room, self._settings = room, settings

    async def collections(self) -> CollectionsReply:
        """What can be asked."""
        return await self._room.run(errands.Describe(), CollectionsReply)

    async def preview(self, spec: QuerySpec, now: datetime) -> PreviewReply:
        """Rows of a query: live, except positions, which only snapshots have."""
        return rules.preview_of(spec.collection, await self._room.run(errands.Preview(spec=spec, now=now), Previewed))

    async def create(self, request: CreateSnapshot, caller: Caller) -> Snapshot:
        """Freeze the data as it is now, and keep the query with it."""
        await self._room.run(errands.Check(spec=request.query_spec), type(None))
        freeze_id = await self._fresh_freeze(caller)
        started = time.perf_counter()
        found = await self._room.run(errands.Total(spec=request.query_spec, freeze_id=freeze_id), Totals)
        made = rules.report_document(
            f"rs-{uuid.uuid4().hex[:16]}", request, freeze_id, found, _since(started), caller, datetime.now(UTC)
        )
        await self._snapshots.insert_one(made)
        return rules.report_summary(made)

    async def refresh(self, snapshot_id: str, caller: Caller) -> Snapshot:
        """A new snapshot of the same query. A freeze is refreshed by taking another one."""
        old = await self._stored(snapshot_id)
        if old is None:
            return await self._freeze(await self._fresh_freeze(caller))
        again = CreateSnapshot(
            name=old["name"],
            description=old["description"],
            snapshot_type=old["snapshot_type"],
            tags=old["tags"],
            query_spec=rules.spec_of(old),
        )
        return await self.create(again, caller)

    async def snapshots(
        self, created_by: str | None, snapshot_type: str | None, tags: str | None, limit: int
    ) -> list[Snapshot]:
        """Report snapshots and freezes, newest first."""
        wanted: Document = {"created_by": created_by} if created_by else {}
        reports = await self._snapshots.find(wanted).sort("created_at", -1).limit(_LISTED).to_list()
        freezes = await self._room.run(errands.List(), list[Snapshot])
        listed = [*map(rules.report_summary, reports), *freezes]
        kept = [each for each in listed if rules.keep(each, created_by, snapshot_type, tags)]
        return sorted(kept, key=lambda each: each.created_at, reverse=True)[:limit]

    async def snapshot(self, snapshot_id: str, skip: int, limit: int) -> SnapshotPage:
        """One page of a snapshot's rows."""
        document = await self._snapshots.find_one({"_id": snapshot_id})
        asked = errands.Page(place=rules.place_of(snapshot_id, document), skip=skip, limit=limit)
        return rules.page_of(snapshot_id, document, await self._room.run(asked, Rows), asked)

    async def delete(self, snapshot_id: str, caller: Caller) -> SnapshotDeleted:
        """Forget a report snapshot; the freeze that it runs on stays."""
        document = await self._stored(snapshot_id)
        if document is None:
            raise rules.FreezeNeverDeleted(snapshot_id=snapshot_id)
        rules.may_delete(document, caller)
        await self._snapshots.delete_one({"_id": snapshot_id})
        return SnapshotDeleted(snapshot_id=snapshot_id)

    async def export(self, snapshot_id: str, kind: str, dataset: str | None, caller: Caller) -> Made:
        """Write a snapshot's rows to a file. Raises UnknownFormat."""
        document = await self._snapshots.find_one({"_id": snapshot_id})
        with files.folder_for_one(self._settings.exports) as folder:
            asked = errands.Export(
                place=rules.place_of(snapshot_id, document),
                name=document["name"] if document else None,
                kind=kind,
                dataset=dataset,
                folder=str(folder),
                requested_by=caller.username,
                now=datetime.now(UTC),
            )
            return await self._room.run(asked, Made)

    async def compare(self, request: Compare, caller: Caller, now: datetime) -> ComparisonJob:
        """Compare two snapshots of the same query and keep the outcome."""
        started = time.perf_counter()
        asked = errands.CompareBoth(
            first=await self._place(request.snapshot_a_id), second=await self._place(request.snapshot_b_id)
        )
        outcome = await self._room.run(asked, dict[str, Any])
        job = {
            "_id": f"cj-{uuid.uuid4().hex[:16]}",
            "name": request.comparison_name or f"{request.snapshot_a_id} against {request.snapshot_b_id}",
            "snapshot_a_id": request.snapshot_a_id,
            "snapshot_b_id": request.snapshot_b_id,
            "comparison_result": outcome,
            "execution_time_ms": _since(started),
            "created_by": caller.username,
            "created_at": as_stored(now),
            "status": "completed",
        }
        await self._jobs.insert_one(job)
        return rules.as_job(job)

    async def comparison(self, job_id: str) -> ComparisonJob:
        """One comparison. Raises ComparisonUnknown."""
        job = await self._jobs.find_one({"_id": job_id})
        if job is None:
            raise rules.ComparisonUnknown(job_id=job_id)
        return rules.as_job(job)

    async def comparisons(self, created_by: str | None, limit: int) -> list[ComparisonJob]:
        """Comparisons, newest first."""
        wanted: Document = {"created_by": created_by} if created_by else {}
        return [rules.as_job(job) for job in await self._newest(self._jobs, wanted, "created_at", limit)]

    async def request_run(self, request: RequestRun, caller: Caller, now: datetime) -> Run:
        """Ask the worker for something."""
        kind = rules.parse_kind(request.kind)
        made = rules.queued(f"run-{uuid.uuid4().hex[:16]}", kind, request.name, caller.username, now)
        await self._runs.insert_one(made)
        return rules.as_run(made)

    async def run(self, run_id: str) -> Run:
        """One run. Raises RunUnknown."""
        found = await self._runs.find_one({"_id": run_id})
        if found is None:
            raise rules.RunUnknown(run_id=run_id)
        return rules.as_run(found)

    async def runs(self, limit: int) -> list[Run]:
        """Runs, newest first."""
        return [rules.as_run(found) for found in await self._newest(self._runs, {}, "requested_at", limit)]

    async def _newest(self, collection: Any, wanted: Document, field: str, limit: int) -> list[Document]:
        found: list[Document] = await collection.find(wanted).sort(field, -1).limit(limit).to_list()
        return found

    async def _stored(self, snapshot_id: str) -> Document | None:
        """The report snapshot of that id; None for a freeze. Raises SnapshotUnknown, or what the lake raises."""
        document = await self._snapshots.find_one({"_id": snapshot_id})
        if document is None:
            await self._freeze(snapshot_id)
        return document

    async def _freeze(self, snapshot_id: str) -> Snapshot:
        return await self._room.run(errands.Find(snapshot_id=snapshot_id), Snapshot)

    async def _place(self, snapshot_id: str) -> errands.Place:
        return rules.place_of(snapshot_id, await self._snapshots.find_one({"_id": snapshot_id}))

    async def _fresh_freeze(self, caller: Caller) -> str:
        """Have the worker freeze the data as it is now. Gives the freeze's id. Raises WorkerAway or FreezeFailed."""
        asked = await self.request_run(RequestRun(kind=RunKind.MATERIALISE), caller, datetime.now(UTC))
        deadline = time.monotonic() + _FRESH_FREEZE_SECONDS
        while time.monotonic() < deadline:
            outcome = await self.run(asked.run_id)
            if outcome.status == RunStatus.SUCCEEDED and outcome.snapshot_id:
                return outcome.snapshot_id
            if outcome.status == RunStatus.FAILED:
                raise FreezeFailed(reason=outcome.error or "unknown reason")
            await asyncio.sleep(0.1)
        raise WorkerAway(service="worker", retry_after=_FRESH_FREEZE_SECONDS)


def _since(started: float) -> float:
    """Milliseconds."""
    return round((time.perf_counter() - started) * 1000, 1)
