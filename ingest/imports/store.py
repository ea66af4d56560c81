"""Uploaded lists in MongoDB, which all service processes share, and their files under the data directory."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.imports import rules
from ingest.imports.receiving import receive
from ingest.reports import errands, files
from ingest.reports.answers import Made
from ingest.reports.desk import ReportsAway, ReportTooLong
from ingest.reports.room import Room
from ingest.scopes.rules import EVERYWHERE
from stockverify.clients import Document, as_stored
from stockverify.settings import Settings
from stockverify.vocabulary import Action, Collection, ImportStatus, Role
from stockverify.wire.imports import Checked, CommitImport, ImportDiscarded, ImportJob, ImportListed, ImportOptions

_OPEN, _QUEUED, _WRITING = ImportStatus.OPEN.value, ImportStatus.QUEUED.value, ImportStatus.WRITING.value
_FINDINGS = {"checked": 0, "options": 0}


class ImportStore:
    """Reads and writes uploaded lists."""

    def __init__(
        self, database: AsyncDatabase[Document], room: Room, activity: ActivityStore, settings: Settings
    ) -> None:
        self._jobs, self._room, self._activity = database[Collection.IMPORTS], room, activity
        self._root, self._exports = settings.imports, settings.exports
        self.queued = asyncio.Event()

    async def upload(self, name: str, chunks: AsyncIterator[bytes], caller: Caller, now: datetime) -> ImportJob:
        """Keep a list and check it as it is. Raises what is wrong with its size; other faults are its `problem`."""
        mine = {"created_by_id": caller.user_id, "status": _OPEN}
        if await self._jobs.count_documents(mine, limit=rules.MOST_OPEN) >= rules.MOST_OPEN:
            raise rules.TooManyImports(most=rules.MOST_OPEN, retry_after=60)
        import_id = f"imp-{uuid.uuid4().hex[:16]}"
        path = self._file(import_id)
        path.parent.mkdir(parents=True)
        try:
            received = await receive(path, chunks)
            found = await self._found(import_id, ImportOptions())
            job = rules.uploaded(import_id, rules.file_name(name), *received, caller, now)
            await self._jobs.insert_one(job | rules.findings(ImportOptions(), found))
        except BaseException:
            shutil.rmtree(path.parent, ignore_errors=True)
            raise
        return await self.one(import_id)

    async def listed(self, limit: int) -> list[ImportListed]:
        """Lists, newest first."""
        found = await self._jobs.find({}, _FINDINGS).sort("created_at", -1).limit(limit).to_list()
        return [rules.listed(each) for each in found]

    async def one(self, import_id: str) -> ImportJob:
        """One list. Raises ImportUnknown."""
        return rules.job(await self._stored(import_id))

    async def check(self, import_id: str, options: ImportOptions, caller: Caller) -> ImportJob:
        """A dry run. Raises what is in the way; what is wrong with the list is its `problem`."""
        rules.known_columns(options)
        rules.may_change(await self._stored(import_id), caller)
        found = rules.findings(options, await self._found(import_id, options))
        return await self._changed(import_id, {"status": _OPEN}, found, caller)

    async def rejects(self, import_id: str) -> Made:
        """All bad rows as a file."""
        job = await self._stored(import_id)
        if job["status"] not in (_OPEN, _QUEUED, _WRITING):
            raise rules.ImportOver(import_id=import_id, status=job["status"])
        with files.folder_for_one(self._exports) as folder:
            asked = errands.WriteRejects(
                path=str(self._file(import_id)), options=rules.options_of(job), name=job["file"], folder=str(folder)
            )
            return await self._room.run(asked, Made, EVERYWHERE)

    async def commit(self, import_id: str, agreed: CommitImport, caller: Caller, now: datetime) -> ImportJob:
        """Have it written in the background; `agreed` is checked again by the write that queues it."""
        job = await self._stored(import_id)
        rules.may_commit(job, caller, agreed)
        wanted = {"status": _OPEN, "plan": agreed.plan, "sha256": agreed.sha256}
        change = {
            "status": _QUEUED,
            "committed_by": caller.username,
            "committed_by_id": caller.user_id,
            "committed_at": as_stored(now),
            "note": None,
        }
        queued = await self._changed(import_id, wanted, change, caller)
        details = {"file": job["file"], "sha256": job["sha256"], **job["numbers"]}
        await self._activity.note(Action.IMPORT_COMMITTED, caller, import_id, now, **details)
        self.queued.set()
        return queued

    async def discard(self, import_id: str, caller: Caller) -> ImportDiscarded:
        """Forget a list that was not imported. Raises what is in the way."""
        job = await self._stored(import_id)
        rules.may_change(job, caller)
        if (await self._jobs.delete_one({"_id": import_id, "status": _OPEN})).deleted_count:
            await self.remove_file(import_id)
        return ImportDiscarded(import_id=import_id)

    async def take(self, now: datetime) -> Document | None:
        """The next list to write: one whose writer has died comes first. One at a time in the whole house."""
        taken = {
            "status": _WRITING,
            "taken_by": uuid.uuid4().hex[:8],
            "alive_until": as_stored(now + timedelta(seconds=rules.LEASE_SECONDS)),
        }
        change = {"$set": taken, "$inc": {"attempts": 1}}
        abandoned = {"status": _WRITING, "alive_until": {"$lt": as_stored(now)}}
        for wanted in (abandoned, {"status": _QUEUED}):
            try:
                job: Document | None = await self._jobs.find_one_and_update(
                    wanted, change, sort=[("created_at", 1)], return_document=ReturnDocument.AFTER
                )
            except DuplicateKeyError:  # another one is being written
                return None
            if job is not None:
                return job
        return None

    async def renew(self, job: Document, changes: Document, now: datetime) -> bool:
        """Say that the writer lives; False when the list is somebody else's by now."""
        alive = {"alive_until": as_stored(now + timedelta(seconds=rules.LEASE_SECONDS))}
        return bool((await self._jobs.update_one(_held(job), {"$set": changes | alive})).matched_count)

    async def reopen(self, job: Document, options: ImportOptions, checked: Checked) -> None:
        """Back to the person: the book has changed since the dry run, and this is the new one."""
        told = rules.findings(options, checked) | {"status": _OPEN, "note": rules.BOOK_CHANGED, "attempts": 0}
        await self._jobs.update_one(_held(job), {"$set": told, "$unset": {"committed_by": "", "committed_at": ""}})

    async def finish(self, job: Document, outcome: Document, now: datetime) -> None:
        """Write down what became of it, in the audit log too."""
        end = outcome | {"finished_at": as_stored(now)}
        if (await self._jobs.update_one(_held(job), {"$set": end})).matched_count:
            author = Caller(job["committed_by_id"], job["committed_by"], Role.SUPERVISOR, "", "")
            told = {"status": outcome["status"], **job["numbers"], "note": outcome.get("note")}
            await self._activity.note(Action.IMPORT_ENDED, author, job["_id"], now, **told)
            await self.remove_file(job["_id"])

    async def expire(self, now: datetime) -> None:
        """Let go of lists that nobody went on with for a day."""
        old = {"status": _OPEN, "created_at": {"$lt": as_stored(now - rules.OPEN_FOR)}}
        for job in await self._jobs.find(old, {"_id": 1}).limit(100).to_list():
            change = {"$set": {"status": ImportStatus.EXPIRED.value}}
            if (await self._jobs.update_one({"_id": job["_id"], "status": _OPEN}, change)).modified_count:
                await self.remove_file(job["_id"])

    async def remove_file(self, import_id: str) -> None:
        """In a thread: a disk takes a while to let go of a large file."""
        await asyncio.to_thread(shutil.rmtree, self.folder(import_id), ignore_errors=True)

    def folder(self, import_id: str) -> Path:
        """Where the file of a list lies, and where its writer tells how far it is. The id is one of ours."""
        return self._root / import_id

    def file(self, job: Document) -> Path:
        """The file of a list."""
        return self._file(job["_id"])

    def _file(self, import_id: str) -> Path:
        return self.folder(import_id) / "list"

    async def _found(self, import_id: str, options: ImportOptions) -> Checked:
        try:
            asked = errands.CheckList(path=str(self._file(import_id)), options=options)
            return await self._room.run(asked, Checked, EVERYWHERE)
        except (ReportsAway, ReportTooLong):  # its process came to the end of its memory, or of our patience
            raise rules.ListTooHeavy() from None

    async def _stored(self, import_id: str) -> Document:
        job = await self._jobs.find_one({"_id": import_id})
        if job is None:
            raise rules.ImportUnknown(import_id=import_id[:80])
        return job

    async def _changed(self, import_id: str, wanted: Document, change: Document, caller: Caller) -> ImportJob:
        """Raises what is in the way when somebody else was faster."""
        found: Document | None = await self._jobs.find_one_and_update(
            {"_id": import_id} | wanted, {"$set": change}, return_document=ReturnDocument.AFTER
        )
        if found is None:
            rules.may_change(await self._stored(import_id), caller)
            raise rules.AnotherPlan(import_id=import_id)
        return rules.job(found)


def _held(job: Document) -> Document:
    return {"_id": job["_id"], "status": _WRITING, "taken_by": job["taken_by"]}
