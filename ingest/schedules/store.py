"""Schedules in MongoDB, as people manage them; each change is in the audit log."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.reports.room import Room
from ingest.reports.rules import RunUnknown
from ingest.schedules import rules, shown
from ingest.schedules.references import References
from ingest.transactions import transact_until_done
from stockverify import cron, letters
from stockverify.addresses import domains
from stockverify.clients import Document, as_stored
from stockverify.runs import asked_run
from stockverify.settings import Settings
from stockverify.vocabulary import Action, Collection, RunPurpose
from stockverify.wire.reports import Run
from stockverify.wire.schedules import (
    ChangeSchedule,
    DueTime,
    NextTimes,
    SaveSchedule,
    Schedule,
    ScheduleDeleted,
    ShownLetter,
)

T = TypeVar("T")


class ScheduleStore:
    """Reads and writes schedules, and the runs that people ask of them."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: AsyncDatabase[Document],
        room: Room,
        activity: ActivityStore,
        settings: Settings,
    ) -> None:
        self._client, self._activity, self._settings = client, activity, settings
        self._schedules, self._runs = database[Collection.SCHEDULES], database[Collection.RUNS]
        self._users, self._references = database[Collection.USERS], References(database, room)
        self._domains = domains(settings.mail_allowed_domains)

    async def create(self, request: SaveSchedule, caller: Caller, now: datetime) -> Schedule:
        """Make a schedule, once all that can be checked about it was. Raises what is wrong with it, and
        TooManySchedules."""
        wanted = await self._checked(request)
        most = self._settings.mail_max_attachment_bytes
        made = rules.document(f"sch-{uuid.uuid4().hex[:16]}", wanted, caller, most, now)

        async def write(transaction: AsyncClientSession) -> None:
            await self._check_room(caller, transaction)
            await self._schedules.insert_one(dict(made), session=transaction)
            await self._note(Action.SCHEDULE_MADE, caller, made, now, transaction)

        await transact_until_done(self._client, write)
        return shown.as_schedule(made, now)

    async def schedules(self, owner: str | None, state: str | None, limit: int, now: datetime) -> list[Schedule]:
        """Schedules, newest first."""
        asked = {"owner": owner, "state": state}
        wanted = {name: value for name, value in asked.items() if value is not None}
        found = self._schedules.find(wanted).sort("created_at", -1).limit(limit)
        return [shown.as_schedule(each, now) async for each in found]

    async def schedule(self, schedule_id: str, now: datetime) -> Schedule:
        """One of them. Raises ScheduleUnknown."""
        return shown.as_schedule(await self._stored(schedule_id), now)

    async def change(self, schedule_id: str, request: ChangeSchedule, caller: Caller, now: datetime) -> Schedule:
        """Say all of it anew. Raises ScheduleChanged when somebody else was faster."""
        before = await self._stored(schedule_id)
        rules.may_change(before, caller)
        if before["builtin"]:
            cron.check(request.cron, request.zone)
            wanted: SaveSchedule = request
        else:
            wanted = await self._checked(request)
        most = self._settings.mail_max_attachment_bytes

        async def write(transaction: AsyncClientSession) -> Document:
            stored = await self._own(schedule_id, caller, transaction)
            if stored["revision"] != request.revision:
                raise rules.ScheduleChanged(schedule_id=schedule_id, revision=stored["revision"])
            changes = rules.changes(stored, wanted, most, now)
            await self._write(stored, changes, Action.SCHEDULE_CHANGED, caller, now, transaction)
            return stored | changes

        return shown.as_schedule(await transact_until_done(self._client, write), now)

    async def pause(self, schedule_id: str, caller: Caller, now: datetime) -> Schedule:
        """Let it rest until somebody resumes it."""
        return await self._moved(schedule_id, caller, Action.SCHEDULE_PAUSED, now, lambda _: rules.paused(caller, now))

    async def resume(self, schedule_id: str, caller: Caller, now: datetime) -> Schedule:
        """Let it go on from its next due time; a draft starts."""
        return await self._moved(schedule_id, caller, Action.SCHEDULE_RESUMED, now, lambda old: rules.resumed(old, now))

    async def _moved(
        self, schedule_id: str, caller: Caller, action: Action, now: datetime, decide: Callable[[Document], Document]
    ) -> Schedule:
        """Write what is decided of a schedule that the caller may change."""

        async def write(transaction: AsyncClientSession) -> Document:
            stored = await self._own(schedule_id, caller, transaction)
            changes = decide(stored)
            await self._write(stored, changes, action, caller, now, transaction)
            return stored | changes

        return shown.as_schedule(await transact_until_done(self._client, write), now)

    async def delete(self, schedule_id: str, caller: Caller, now: datetime) -> ScheduleDeleted:
        """Forget it; what it did stays in the history. Raises BuiltinStays."""

        async def write(transaction: AsyncClientSession) -> None:
            stored = await self._own(schedule_id, caller, transaction)
            if stored["builtin"]:
                raise rules.BuiltinStays(schedule_id=schedule_id, allowed="pause it instead")
            await self._schedules.delete_one({"_id": schedule_id}, session=transaction)
            await self._note(Action.SCHEDULE_DELETED, caller, stored, now, transaction)

        await transact_until_done(self._client, write)
        return ScheduleDeleted(schedule_id=schedule_id)

    async def run(self, schedule_id: str, purpose: RunPurpose, caller: Caller, now: datetime) -> Run:
        """Have it done now, as a test, or to look at. Raises TooManyWaiting."""
        user = await self._users.find_one({"_id": caller.user_id}, {"email": 1}) or {}
        run_id = f"run-{uuid.uuid4().hex[:16]}"

        async def write(transaction: AsyncClientSession) -> Document:
            stored = await self._own(schedule_id, caller, transaction)
            rules.may_run(stored, purpose, user.get("email"), self._domains)
            if await self._runs.count_documents(rules.asked_by(caller), limit=rules.MOST_WAITING) >= rules.MOST_WAITING:
                raise rules.TooManyWaiting(waiting=rules.MOST_WAITING)
            by = caller.username, caller.user_id, user.get("email")
            made = asked_run(run_id, stored, purpose, *by, as_stored(now))
            await self._runs.insert_one(dict(made), session=transaction)
            note = self._activity.note
            await note(Action.SCHEDULE_RUN, caller, schedule_id, now, transaction, purpose=purpose, run_id=run_id)
            return made

        return shown.as_run(await transact_until_done(self._client, write))

    async def next_times(self, asked: NextTimes, now: datetime) -> list[DueTime]:
        """The next five due times of what was not saved yet. Raises BadCron or UnknownZone."""
        cron.check(asked.cron, asked.zone)
        return shown.next_five(asked.cron, asked.zone, now)

    async def letter(self, run_id: str) -> ShownLetter:
        """The letter of a run. Raises RunUnknown, LetterGone or LetterDamaged."""
        run = await self._runs.find_one({"_id": run_id})
        if run is None or run.get("schedule_id") is None:
            raise RunUnknown(run_id=run_id[:200])
        return await asyncio.to_thread(self._letter, run)

    def _letter(self, run: Document) -> ShownLetter:
        root, run_id = self._settings.mails, run["_id"]
        return shown.as_letter(run, letters.words(root, run_id), letters.to_look_at(root, run_id))

    async def _check_room(self, caller: Caller, transaction: AsyncClientSession) -> None:
        most = self._settings.schedules_per_person
        if await self._schedules.count_documents(rules.owned_by(caller), limit=most, session=transaction) >= most:
            raise rules.TooManySchedules(most=most)

    async def _checked(self, request: SaveSchedule) -> SaveSchedule:
        wanted = rules.checked(request, self._domains)
        await self._references.check(wanted)
        return wanted

    async def _stored(self, schedule_id: str, transaction: AsyncClientSession | None = None) -> Document:
        found = await self._schedules.find_one({"_id": schedule_id}, session=transaction)
        if found is None:
            raise rules.ScheduleUnknown(schedule_id=schedule_id[:80])
        return found

    async def _own(self, schedule_id: str, caller: Caller, transaction: AsyncClientSession) -> Document:
        stored = await self._stored(schedule_id, transaction)
        rules.may_change(stored, caller)
        return stored

    async def _write(
        self,
        stored: Document,
        changes: Document,
        action: Action,
        caller: Caller,
        now: datetime,
        transaction: AsyncClientSession,
    ) -> None:
        await self._schedules.update_one({"_id": stored["_id"]}, {"$set": changes}, session=transaction)
        await self._note(action, caller, stored, now, transaction)

    async def _note(
        self, action: Action, caller: Caller, stored: Document, now: datetime, transaction: AsyncClientSession
    ) -> None:
        await self._activity.note(action, caller, stored["_id"], now, transaction, name=stored["name"])
