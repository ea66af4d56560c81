"""Comparisons: MongoDB keeps what was asked and what came of it, the lake keeps the rows, and the reports process makes
and reads them."""

import asyncio
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from ingest.auth.rules import Caller
from ingest.comparisons import rules
from ingest.reports import errands, files
from ingest.reports.answers import Compared, ComparedPage, Made
from ingest.reports.room import Room
from ingest.reports.rules import place_of
from ingest.scopes.rules import Floors, check_made, floors_of, made_within, within
from stockverify.clients import Document
from stockverify.errors import StockVerifyError
from stockverify.settings import Settings
from stockverify.vocabulary import Collection, ComparisonStatus
from stockverify.wire.comparisons import Compare, ComparisonContributions, ComparisonJob, ComparisonRows, RowKind

_LOOK_SECONDS = 0.5


class ComparisonStore:
    """Reads and writes comparisons."""

    def __init__(self, database: AsyncDatabase[Document], room: Room, settings: Settings) -> None:
        self._jobs, self._snapshots = database[Collection.COMPARE_JOBS], database[Collection.REPORT_SNAPSHOTS]
        self._room, self._settings = room, settings

    async def compare(self, request: Compare, caller: Caller, now: datetime) -> ComparisonJob:
        """Compare two snapshots of the same query. Whoever asked may go away meanwhile: the outcome is kept."""
        ids = (request.snapshot_a_id, request.snapshot_b_id)
        reports = [await self._snapshots.find_one({"_id": snapshot_id}) for snapshot_id in ids]
        floors = within(caller, *reports)
        first, second = (place_of(*side) for side in zip(ids, reports, strict=True))
        asked = rules.question(request, first, second)
        job = rules.begun(f"cj-{uuid.uuid4().hex[:16]}", request, asked, caller, now) | {"floors": list(floors)}
        await self._jobs.insert_one(job)
        changes = await self._outcome(job["_id"], asked, floors)
        await self._jobs.update_one({"_id": job["_id"]}, {"$set": changes})
        return rules.as_job(job | changes, now)

    async def cancel(self, job_id: str, caller: Caller, now: datetime) -> ComparisonJob:
        """Stop a comparison, in whichever process it runs. Raises ComparisonUnknown, OutOfReach, NotYourComparison, or
        ComparisonEnded unless it was cancelled before."""
        job = await self._stored(job_id, caller)
        rules.may_cancel(job, caller)
        running = {"_id": job_id, "status": ComparisonStatus.RUNNING}
        found = await self._jobs.update_one(running, {"$set": {"cancel_asked": True}})
        job = await self._stored(job_id, caller)
        if not found.matched_count and job["status"] != ComparisonStatus.CANCELLED:
            raise rules.ComparisonEnded(job_id=job_id, status=job["status"])
        return rules.as_job(job, now)

    async def comparison(self, job_id: str, caller: Caller) -> ComparisonJob:
        """One comparison. Raises ComparisonUnknown or OutOfReach."""
        return rules.as_job(await self._stored(job_id, caller), datetime.now(UTC))

    async def comparisons(self, caller: Caller, created_by: str | None, limit: int) -> list[ComparisonJob]:
        """Comparisons, newest first."""
        wanted: Document = ({"created_by": created_by} if created_by else {}) | made_within(caller)
        found = await self._jobs.find(wanted).sort("created_at", -1).limit(limit).to_list()
        return [rules.as_job(job, datetime.now(UTC)) for job in found]

    async def rows(self, job_id: str, caller: Caller, kind: RowKind, skip: int, limit: int) -> ComparisonRows:
        """One page of the rows of a kind. Raises ComparisonUnknown, OutOfReach or ComparisonUnfinished."""
        job = await self._stored(job_id, caller)
        compared = rules.asked_of(job, datetime.now(UTC))
        asked = errands.ReadCompared(comparison_id=job["comparison_id"], kind=kind, skip=skip, limit=limit)
        floors = floors_of(job)
        found = await self._room.run(asked, ComparedPage, floors)
        if found.total is None:  # swept away since, or answered otherwise by an earlier version
            anew = await self._room.run(compared, Compared, floors)
            await self._jobs.update_one({"_id": job_id}, {"$set": {"comparison_id": anew.comparison_id}})
            asked = msgspec.structs.replace(asked, comparison_id=anew.comparison_id)
            found = await self._room.run(asked, ComparedPage, floors)
        return rules.rows_of(job_id, kind, found, skip, limit)

    async def contributions(
        self, job_id: str, caller: Caller, total: str | None, by: str | None, limit: int
    ) -> ComparisonContributions:
        """Why a total moved. Raises ComparisonUnknown, OutOfReach or ComparisonUnfinished."""
        job = await self._stored(job_id, caller)
        compared = rules.asked_of(job, datetime.now(UTC))
        asked = errands.Explain(compared=compared, total=total, by=by, limit=limit)
        return rules.contributions_of(job_id, await self._room.run(asked, dict[str, Any], floors_of(job)))

    async def export(self, job_id: str, kind: str, caller: Caller) -> Made:
        """Write every row that differs to a file. Raises UnknownFormat, ComparisonUnknown or ComparisonUnfinished."""
        job = await self._stored(job_id, caller)
        compared = rules.asked_of(job, datetime.now(UTC))
        with files.folder_for_one(self._settings.exports) as folder:
            asked = errands.ExportCompared(
                compared=compared,
                comparison_id=job["comparison_id"],
                name=job["name"],
                kind=kind,
                folder=str(folder),
                requested_by=caller.username,
                now=datetime.now(UTC),
            )
            return await self._room.run(asked, Made, floors_of(job))

    async def _outcome(self, job_id: str, asked: errands.CompareBoth, floors: Floors) -> Document:
        """What came of it. A failure is kept with its reason, and goes on to whoever asked."""
        started = time.perf_counter()
        try:
            found = await self._wanted(job_id, asyncio.create_task(self._room.run(asked, Compared, floors)))
        except rules.ComparisonCancelled:
            await self._jobs.update_one({"_id": job_id}, {"$set": rules.cancelled(_since(started))})
            raise
        except Exception as error:
            reason = error.message if isinstance(error, StockVerifyError) else "Something unexpected; the log has it."
            await self._jobs.update_one({"_id": job_id}, {"$set": rules.failed(reason, _since(started))})
            raise
        return rules.completed(asked, found, _since(started))

    async def _wanted(self, job_id: str, errand: "asyncio.Task[Compared]") -> Compared:
        """What comes of an errand, as long as it is wanted. One that is given up ends with its process, or leaves the
        queue. Raises ComparisonCancelled."""
        try:
            while not (await asyncio.wait({errand}, timeout=_LOOK_SECONDS))[0]:
                with suppress(PyMongoError):  # whoever is away now is asked again
                    if await self._jobs.find_one({"_id": job_id, "cancel_asked": True}, {"_id": 1}):
                        raise rules.ComparisonCancelled(job_id=job_id)
            return errand.result()
        finally:
            errand.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await errand

    async def _stored(self, job_id: str, caller: Caller) -> Document:
        job = await self._jobs.find_one({"_id": job_id})
        if job is None:
            raise rules.ComparisonUnknown(job_id=job_id)
        check_made(job, caller)
        return job


def _since(started: float) -> float:
    """Milliseconds."""
    return round((time.perf_counter() - started) * 1000, 1)
