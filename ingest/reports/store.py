"""Reports: queries on live data and on freezes, report snapshots, comparisons, and what the worker is asked for.

The analytics block while they compute, so they run in a thread; the loop stays free for devices.
"""

import asyncio
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database

from analytics.export import Exported, Order
from analytics.export.write import format_of
from analytics.lake import Freeze, Lake
from analytics.lake.ids import is_snapshot_id
from analytics.query import PREVIEW_LIMIT, checked, run, run_live
from analytics.query.pipeline import pipeline
from ingest.auth.rules import Caller
from ingest.reports import comparisons, files, rules
from ingest.reports.files import Wanted
from ingest.reports.rules import Source
from stockverify.clients import Document, as_stored
from stockverify.datasets import POSITIONS
from stockverify.errors import Refused, Unavailable
from stockverify.settings import Settings
from stockverify.vocabulary import Collection, RunKind, RunStatus
from stockverify.wire import Compare, CreateSnapshot, QuerySpec, RequestRun, Run

_FRESH_FREEZE_SECONDS = 30
_LISTED = 1000


class FreezeFailed(Refused):
    """The worker could not take the snapshot that this report needs: {reason}"""


class WorkerAway(Unavailable):
    """The worker has not taken up the snapshot within {retry_after} seconds; it stays queued. Is the worker running?"""


class ReportStore:
    """Reads and writes reports."""

    def __init__(
        self, database: AsyncDatabase[Document], blocking: Database[Document], lake: Lake, settings: Settings
    ) -> None:
        self._snapshots, self._runs = database[Collection.REPORT_SNAPSHOTS], database[Collection.RUNS]
        self._jobs = database[Collection.COMPARE_JOBS]
        self._blocking, self._lake, self._settings = blocking, lake, settings

    async def preview(self, spec: QuerySpec, now: datetime) -> dict[str, Any]:
        """Rows of a query: live, except positions, which only snapshots have."""
        query = checked(spec, PREVIEW_LIMIT)
        if query.dataset is POSITIONS:
            result = await asyncio.to_thread(lambda: run(self._lake, self._lake.resolve("latest"), query))
            stages = []
        else:
            result = await asyncio.to_thread(run_live, self._blocking, query, now)
            stages = pipeline(query)
        return {
            "collection": spec.collection,
            "row_count": result.row_count,
            "rows": result.rows(),
            "pipeline": stages,
            "snapshot_id": result.snapshot_id,
            "as_of": result.as_of.timestamp(),
        }

    async def create(self, request: CreateSnapshot, caller: Caller) -> dict[str, Any]:
        """Freeze the data as it is now, and keep the query with it."""
        query = checked(request.query_spec)
        freeze = await self._fresh_freeze(caller)
        started = time.perf_counter()
        result = await asyncio.to_thread(run, self._lake, freeze.snapshot_id, query)
        facts = {
            "summary": comparisons.summary(result, freeze),
            "row_count": result.row_count,
            "execution_time_ms": round((time.perf_counter() - started) * 1000, 1),
        }
        made = rules.report_document(f"rs-{uuid.uuid4().hex[:16]}", request, freeze, facts, caller, datetime.now(UTC))
        await self._snapshots.insert_one(made)
        return rules.report_summary(made)

    async def refresh(self, snapshot_id: str, caller: Caller) -> dict[str, Any]:
        """A new snapshot of the same query. A freeze is refreshed by taking another one."""
        source = await self._source(snapshot_id)
        if source.document is None:
            return rules.freeze_summary(await self._fresh_freeze(caller))
        old = source.document
        again = CreateSnapshot(
            name=old["name"],
            description=old["description"],
            snapshot_type=old["snapshot_type"],
            tags=old["tags"],
            query_spec=source.spec,
        )
        return await self.create(again, caller)

    async def snapshots(
        self, created_by: str | None, snapshot_type: str | None, tags: str | None, limit: int
    ) -> list[dict[str, Any]]:
        """Report snapshots and freezes, newest first."""
        wanted: Document = {"created_by": created_by} if created_by else {}
        reports = await self._snapshots.find(wanted).sort("created_at", -1).limit(_LISTED).to_list()
        freezes = await asyncio.to_thread(self._lake.freezes)
        listed = [*map(rules.report_summary, reports), *map(rules.freeze_summary, freezes)]
        kept = [each for each in listed if rules.keep(each, created_by, snapshot_type, tags)]
        return sorted(kept, key=lambda each: each["created_at"], reverse=True)[:limit]

    async def snapshot(self, snapshot_id: str, skip: int, limit: int) -> dict[str, Any]:
        """One page of a snapshot's rows."""
        source = await self._source(snapshot_id)
        query = rules.page_of(checked(source.spec), skip, limit)
        result = await asyncio.to_thread(run, self._lake, source.freeze_id, query)
        shown = await self._shown(source)
        return {
            "snapshot_id": snapshot_id,
            "name": shown["name"],
            "summary": shown["summary"],
            "row_count": shown["row_count"],
            "rows": result.rows(),
            "pagination": rules.pagination(skip, limit, shown["row_count"]),
            "as_of": result.as_of.timestamp(),
        }

    async def delete(self, snapshot_id: str, caller: Caller) -> dict[str, Any]:
        """Forget a report snapshot; the freeze that it runs on stays."""
        source = await self._source(snapshot_id)
        if source.document is None:
            raise rules.FreezeNeverDeleted(snapshot_id=snapshot_id)
        rules.may_delete(source.document, caller)
        await self._snapshots.delete_one({"_id": snapshot_id})
        return {"success": True, "snapshot_id": snapshot_id}

    async def export(self, snapshot_id: str, kind: str, dataset: str | None, caller: Caller) -> Exported:
        """Write a snapshot's rows to a file. Raises UnknownFormat."""
        order = Order(requested_by=caller.username, zone=self._settings.time_zone, now=datetime.now(UTC))
        wanted = Wanted(format_of(kind), dataset, self._settings.exports, order)
        source = await self._source(snapshot_id)
        name = (await self._shown(source))["name"]
        return await asyncio.to_thread(files.write, self._lake, source, name, wanted)

    async def compare(self, request: Compare, caller: Caller, now: datetime) -> dict[str, Any]:
        """Compare two snapshots of the same query and keep the outcome."""
        started = time.perf_counter()
        first, second = await self._source(request.snapshot_a_id), await self._source(request.snapshot_b_id)
        outcome = await asyncio.to_thread(comparisons.compared, self._lake, first, second)
        job = {
            "_id": f"cj-{uuid.uuid4().hex[:16]}",
            "name": request.comparison_name or f"{request.snapshot_a_id} against {request.snapshot_b_id}",
            "snapshot_a_id": request.snapshot_a_id,
            "snapshot_b_id": request.snapshot_b_id,
            "comparison_result": outcome,
            "execution_time_ms": round((time.perf_counter() - started) * 1000, 1),
            "created_by": caller.username,
            "created_at": as_stored(now),
            "status": "completed",
        }
        await self._jobs.insert_one(job)
        return comparisons.as_job(job)

    async def comparison(self, job_id: str) -> dict[str, Any]:
        """One comparison. Raises ComparisonUnknown."""
        job = await self._jobs.find_one({"_id": job_id})
        if job is None:
            raise rules.ComparisonUnknown(job_id=job_id)
        return comparisons.as_job(job)

    async def comparisons(self, created_by: str | None, limit: int) -> list[dict[str, Any]]:
        """Comparisons, newest first."""
        wanted: Document = {"created_by": created_by} if created_by else {}
        return [comparisons.as_job(job) for job in await self._newest(self._jobs, wanted, "created_at", limit)]

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

    async def _source(self, snapshot_id: str) -> Source:
        """What an id stands for. Raises SnapshotUnknown, or what the lake raises for a freeze."""
        document = await self._snapshots.find_one({"_id": snapshot_id})
        if document is not None:
            return Source(document["freeze_id"], rules.spec_of(document), document)
        if not is_snapshot_id(snapshot_id) and snapshot_id not in ("latest", "previous"):
            raise rules.SnapshotUnknown(snapshot_id=snapshot_id[:80])
        freeze = await asyncio.to_thread(self._lake.freeze, await asyncio.to_thread(self._lake.resolve, snapshot_id))
        return Source(freeze.snapshot_id, rules.stock_spec(), None)

    async def _shown(self, source: Source) -> dict[str, Any]:
        if source.document is not None:
            return rules.report_summary(source.document)
        return rules.freeze_summary(await asyncio.to_thread(self._lake.freeze, source.freeze_id))

    async def _fresh_freeze(self, caller: Caller) -> Freeze:
        """Have the worker freeze the data as it is now. Raises WorkerAway or FreezeFailed."""
        asked = await self.request_run(RequestRun(kind=RunKind.MATERIALISE), caller, datetime.now(UTC))
        deadline = time.monotonic() + _FRESH_FREEZE_SECONDS
        while time.monotonic() < deadline:
            outcome = await self.run(asked.run_id)
            if outcome.status == RunStatus.SUCCEEDED and outcome.snapshot_id:
                return await asyncio.to_thread(self._lake.freeze, outcome.snapshot_id)
            if outcome.status == RunStatus.FAILED:
                raise FreezeFailed(reason=outcome.error or "unknown reason")
            await asyncio.sleep(0.1)
        raise WorkerAway(service="worker", retry_after=_FRESH_FREEZE_SECONDS)
