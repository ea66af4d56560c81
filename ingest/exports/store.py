"""Export jobs in MongoDB, which all service processes share, and their files under the data directory."""

import uuid
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.comparisons import rules as comparisons
from ingest.exports import rules
from ingest.reports import errands
from ingest.reports import rules as reports
from ingest.reports.errands import AnyExportJob, Place, Report
from ingest.reports.room import Room
from ingest.scopes.rules import EVERYWHERE, Floors, check_made, within
from stockverify import links, restored
from stockverify.clients import Document, as_stored
from stockverify.links import Link, LinkExpired
from stockverify.settings import Settings
from stockverify.vocabulary import Action, Collection, ExportStatus
from stockverify.wire.comparisons import Compare
from stockverify.wire.exports import CreateExport, ExportJob, ExportManifest
from stockverify.wire.reports import Snapshot

Asked = tuple[AnyExportJob, str, Floors]


class ExportStore:
    """Reads and writes export jobs."""

    def __init__(
        self, database: AsyncDatabase[Document], room: Room, activity: ActivityStore, settings: Settings, secret: str
    ) -> None:
        self._jobs, self._snapshots = database[Collection.REPORT_EXPORTS], database[Collection.REPORT_SNAPSHOTS]
        self._comparisons, self._log = database[Collection.COMPARE_JOBS], database[Collection.ACTIVITY_LOGS]
        self._room, self._activity = room, activity
        self._ttl, self._key = settings.export_ttl, links.key_of(secret)
        self.root = settings.export_jobs

    async def create(self, request: CreateExport, caller: Caller, now: datetime) -> ExportJob:
        """Put a job into the queue, once all that can be checked about it was. Raises what is wrong with it."""
        rules.checked(request)
        if request.query_spec is not None:
            await self._room.run(errands.Check(spec=request.query_spec), type(None), EVERYWHERE)
        asked, snapshot_id, floors = await self._asked(request, caller, now)
        mine = {"created_by_id": caller.user_id, "status": {"$in": [status.value for status in rules.OPEN]}}
        if await self._jobs.count_documents(mine, limit=rules.MOST_OPEN) >= rules.MOST_OPEN:
            raise rules.TooManyExports(most=rules.MOST_OPEN, retry_after=60)
        job = rules.queued(f"ex-{uuid.uuid4().hex[:16]}", request, asked, snapshot_id, caller, now, self._ttl)
        job["floors"] = list(floors)
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

    async def manifest(self, job_id: str, caller: Caller) -> ExportManifest:
        """What the file of a job that is done holds. Raises ExportUnknown, NotYourExport, ExportUnfinished or
        ManifestGone."""
        job = await self._job(job_id)
        rules.may_see(job, caller)
        if job["status"] != ExportStatus.DONE:
            raise rules.ExportUnfinished(job_id=job_id, status=job["status"])
        try:
            told = (self.folder(job) / f"{job['file']}.manifest.json").read_bytes()
        except FileNotFoundError:
            raise rules.ManifestGone(job_id=job_id) from None
        return msgspec.json.decode(told, type=ExportManifest)

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

    async def was_brought_back(self, now: datetime) -> bool:
        """Whether the files of jobs that are not known may be those of the database of before."""
        return restored.lately(await self._log.find(restored.ENTRIES, {"at": 1}).to_list(), now)

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

    async def _asked(self, request: CreateExport, caller: Caller, now: datetime) -> Asked:
        """What is to be done, the snapshot that it counts for, and within which floors. Raises what is wrong with the
        ids, OutOfReach or DifferentScopes. A query is asked of the freeze, also when a report is named."""
        if request.comparison_job_id is not None:
            return await self._of_job(request, request.comparison_job_id, caller, now)
        if request.compare is not None:
            return await self._of_pair(request, request.compare, caller, now)
        place, name, report = await self._place(request.snapshot_id or "", caller)
        freeze_id = place.freeze_id if isinstance(place, Report) else place
        whole = rules.on_query(place, freeze_id, request.query_spec)
        floors = within(caller, report) if request.query_spec is None else caller.floors
        return rules.of_place(request, whole, name, caller, now), rules.snapshot_of(place), floors

    async def _of_job(self, request: CreateExport, job_id: str, caller: Caller, now: datetime) -> Asked:
        job = await self._comparisons.find_one({"_id": job_id})
        if job is None:
            raise comparisons.ComparisonUnknown(job_id=job_id[:80])
        floors = within(caller, job)
        compared = comparisons.asked_of(job, now)
        asked = rules.of_comparison(request, compared, job["comparison_id"], job["name"], caller, now)
        return asked, job["freeze_ids"][1], floors

    async def _of_pair(self, request: CreateExport, pair: Compare, caller: Caller, now: datetime) -> Asked:
        ids = (pair.snapshot_a_id, pair.snapshot_b_id)
        (first, _, before), (second, _, after) = [await self._place(id_, caller) for id_ in ids]
        floors = within(caller, before, after)
        compared = comparisons.question(pair, first, second)
        asked = rules.of_comparison(request, compared, "", comparisons.name_of(pair), caller, now)
        return asked, rules.snapshot_of(second), floors

    async def _place(self, snapshot_id: str, caller: Caller) -> tuple[Place, str | None, Document | None]:
        """Where the rows of a snapshot come from; of a report its name and document. Raises what is wrong with the
        id, or OutOfReach."""
        if (document := await self._snapshots.find_one({"_id": snapshot_id})) is not None:
            check_made(document, caller)
            return reports.report_of(document), document["name"], document
        freeze = await self._room.run(errands.Find(snapshot_id=snapshot_id), Snapshot, caller.floors)
        return freeze.snapshot_id, None, None

    def _shown(self, job: Document, caller: Caller) -> ExportJob:
        until = job.get("file_expires_at")
        link = Link(job["_id"], job["file"], int(until.timestamp()), caller.user_id) if until else None
        return rules.shown(job, links.url(link, self._key) if link else None)
