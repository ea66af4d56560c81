"""Export jobs in MongoDB, which all service processes share, and their files under the data directory."""

import uuid
from datetime import datetime, timedelta
from pathlib import Path

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.exports import rules
from ingest.reports import errands
from ingest.reports import rules as reports
from ingest.reports.errands import Place, Report
from ingest.reports.room import Room
from stockverify import links
from stockverify.clients import Document, as_stored
from stockverify.links import Link, LinkExpired
from stockverify.settings import Settings
from stockverify.vocabulary import Action, Collection, ExportStatus
from stockverify.wire.exports import CreateExport, ExportJob
from stockverify.wire.reports import Snapshot


class ExportStore:
    """Reads and writes export jobs."""

    def __init__(
        self, database: AsyncDatabase[Document], room: Room, activity: ActivityStore, settings: Settings, secret: str
    ) -> None:
        self._jobs, self._snapshots = database[Collection.REPORT_EXPORTS], database[Collection.REPORT_SNAPSHOTS]
        self._room, self._activity = room, activity
        self._ttl, self._key = settings.export_ttl, links.key_of(secret)
        self.root = settings.export_jobs

    async def create(self, request: CreateExport, caller: Caller, now: datetime) -> ExportJob:
        """Put a job into the queue, once all that can be checked about it was. Raises what is wrong with it."""
        rules.checked(request)
        if request.query_spec is not None:
            await self._room.run(errands.Check(spec=request.query_spec), type(None))
        place, name = await self._place(request)
        mine = {"created_by_id": caller.user_id, "status": {"$in": [status.value for status in rules.OPEN]}}
        if await self._jobs.count_documents(mine, limit=rules.MOST_OPEN) >= rules.MOST_OPEN:
            raise rules.TooManyExports(most=rules.MOST_OPEN, retry_after=60)
        job = rules.queued(f"ex-{uuid.uuid4().hex[:16]}", request, place, name, caller, now, self._ttl)
        await self._jobs.insert_one(job)
        said = {"format": job["format"], "snapshot_id": job["snapshot_id"], "dataset": job["dataset"]}
        await self._activity.note(Action.EXPORT_ASKED, caller, job["_id"], now, **said)
        return self._shown(job, caller)

    async def listed(self, caller: Caller, created_by: str | None, limit: int) -> list[ExportJob]:
        """Jobs, newest first."""
        found = self._jobs.find(rules.visible(caller, created_by)).sort("created_at", -1).limit(limit)
        return [self._shown(job, caller) for job in await found.to_list()]

    async def one(self, job_id: str, caller: Caller) -> ExportJob:
        """One job. Raises ExportUnknown or NotYourExport."""
        job = await self._job(job_id)
        rules.may_see(job, caller)
        return self._shown(job, caller)

    async def cancel(self, job_id: str, caller: Caller, now: datetime) -> ExportJob:
        """Nothing of it is kept. One that is running stops a moment later, in whichever process it runs."""
        job = await self._job(job_id)
        rules.may_cancel(job, caller)
        if job["status"] == ExportStatus.CANCELLED:
            return self._shown(job, caller)
        ended = {"status": ExportStatus.CANCELLED.value, "cancel_asked": True, "finished_at": as_stored(now)}
        waiting = {"_id": job_id, "status": ExportStatus.QUEUED}
        cancelled = await self._changed(waiting, ended)
        if cancelled is None:
            running = {"_id": job_id, "status": ExportStatus.RUNNING}
            cancelled = await self._changed(running, {"cancel_asked": True})
        if cancelled is None:  # it has ended in between
            return await self.cancel(job_id, caller, now)
        await self._activity.note(Action.EXPORT_CANCELLED, caller, job_id, now)
        return self._shown(cancelled, caller)

    async def file(
        self, job_id: str, expires: int, user_id: str, signature: str, now: datetime
    ) -> tuple[Path, Document]:
        """The file behind a link, and its job. Raises LinkWrong, also for an unknown job, or LinkExpired.

        What a client writes never becomes part of a path: it only has to fit what is stored."""
        job = await self._jobs.find_one({"_id": job_id}) or {}
        links.check(Link(job_id, job.get("file") or "", expires, user_id), signature, self._key, now)
        path = self.folder(job) / job["file"]
        if not path.is_file():
            raise LinkExpired()
        return path, job

    def folder(self, job: Document) -> Path:
        """Where an attempt at a job writes; each has a folder of its own, so that two never write into one."""
        return self.root / f"{job['_id']}-{job['taken_by']}"

    def folders(self, job: Document) -> list[Path]:
        """Where all attempts at a job have written."""
        return list(self.root.glob(f"{job['_id']}-*"))

    async def take(self, now: datetime) -> Document | None:
        """The next job to do, for the caller alone: first one that another process has left, then the oldest."""
        mine = {"status": ExportStatus.RUNNING.value, "taken_by": uuid.uuid4().hex, "alive_until": self._alive(now)}
        change = {"$set": mine | {"started_at": as_stored(now)}, "$inc": {"attempts": 1}}
        left = {"status": ExportStatus.RUNNING, "alive_until": {"$lt": as_stored(now)}}
        for wanted, order in ((left, "alive_until"), ({"status": ExportStatus.QUEUED}, "created_at")):
            job: Document | None = await self._jobs.find_one_and_update(
                wanted, change, sort=[(order, 1)], return_document=ReturnDocument.AFTER
            )
            if job is not None:
                return job
        return None

    async def renew(self, job: Document, changes: Document, now: datetime) -> Document | None:
        """Say that the job is alive; None when it is somebody else's by now."""
        return await self._changed(self._held(job), changes | {"alive_until": self._alive(now)})

    async def finish(self, job: Document, outcome: Document, now: datetime) -> bool:
        """Write down what became of it; False when it is somebody else's by now, whose word counts."""
        end: Document = {"finished_at": as_stored(now)}
        if outcome["status"] == ExportStatus.DONE:
            end["file_expires_at"] = as_stored(now + timedelta(seconds=self._ttl))
        return await self._changed(self._held(job), outcome | end) is not None

    async def give_back(self, job: Document) -> None:
        """Let another process do it, because this one ends in good order."""
        change = {"$set": {"status": ExportStatus.QUEUED.value, "taken_by": None}, "$inc": {"attempts": -1}}
        await self._jobs.update_one(self._held(job), change)

    async def expired(self, now: datetime) -> list[Document]:
        """Jobs whose files have had their time."""
        return await self._jobs.find({"file_expires_at": {"$lte": as_stored(now)}}).limit(100).to_list()

    async def forget_file(self, job: Document) -> None:
        """The job stays in the list for a while, without its file."""
        await self._jobs.update_one({"_id": job["_id"]}, {"$unset": {"file_expires_at": ""}})

    async def in_use(self, job_ids: list[str]) -> set[str]:
        """The names of the folders that belong to a job which is running, or has a file."""
        used = {"_id": {"$in": job_ids}, "status": {"$in": [ExportStatus.RUNNING.value, ExportStatus.DONE.value]}}
        return {self.folder(job).name async for job in self._jobs.find(used)}

    def _alive(self, now: datetime) -> datetime:
        return as_stored(now + timedelta(seconds=rules.LEASE_SECONDS))

    def _held(self, job: Document) -> Document:
        return {"_id": job["_id"], "status": ExportStatus.RUNNING, "taken_by": job["taken_by"]}

    async def _changed(self, wanted: Document, changes: Document) -> Document | None:
        found: Document | None = await self._jobs.find_one_and_update(
            wanted, {"$set": changes}, return_document=ReturnDocument.AFTER
        )
        return found

    async def _job(self, job_id: str) -> Document:
        job = await self._jobs.find_one({"_id": job_id})
        if job is None:
            raise rules.ExportUnknown(job_id=job_id[:80])
        return job

    async def _place(self, request: CreateExport) -> tuple[Place, str | None]:
        """Where the rows come from, and the name of the report. Raises what is wrong with the snapshot's id."""
        document = await self._snapshots.find_one({"_id": request.snapshot_id})
        place = reports.place_of(request.snapshot_id, document)
        if isinstance(place, Report):
            return rules.on_query(place, place.freeze_id, request.query_spec), document["name"] if document else None
        freeze = await self._room.run(errands.Find(snapshot_id=place), Snapshot)
        return rules.on_query(freeze.snapshot_id, freeze.snapshot_id, request.query_spec), None

    def _shown(self, job: Document, caller: Caller) -> ExportJob:
        until = job.get("file_expires_at")
        link = Link(job["_id"], job["file"], int(until.timestamp()), caller.user_id) if until else None
        return rules.shown(job, links.url(link, self._key) if link else None)
