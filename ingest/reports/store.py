"""Reports: queries on live data, exports, and what the worker is asked for.

What computes is asked of the reports process; here is what MongoDB keeps of it.
"""

import asyncio
import time
import uuid
from datetime import UTC, datetime

from pymongo.asynchronous.database import AsyncDatabase

from ingest.auth.rules import Caller
from ingest.reports import errands, files, rules
from ingest.reports.answers import Made, Previewed
from ingest.reports.room import Room
from ingest.schedules.shown import as_run
from ingest.scopes.rules import EVERYWHERE, check_unscoped, within
from stockverify.clients import Document, as_stored
from stockverify.errors import Refused, Unavailable
from stockverify.runs import queued
from stockverify.settings import Settings
from stockverify.vocabulary import Collection, RunKind, RunStatus
from stockverify.wire.reports import (
    CollectionsReply,
    PreviewReply,
    PreviewSpec,
    RequestRun,
    Run,
)

_FRESH_FREEZE_SECONDS = 30


class FreezeFailed(Refused):
    """The worker could not take the snapshot that this report needs: {reason}"""


class WorkerAway(Unavailable):
    """The worker has not taken up the snapshot within {retry_after} seconds; it stays queued. Is the worker running?"""


class ReportStore:
    """Reads and writes reports."""

    def __init__(self, database: AsyncDatabase[Document], room: Room, settings: Settings) -> None:
        self._snapshots, self._runs = database[Collection.REPORT_SNAPSHOTS], database[Collection.RUNS]
        self._room, self._settings = room, settings

    async def collections(self) -> CollectionsReply:
        """What can be asked."""
        return await self._room.run(errands.Describe(), CollectionsReply, EVERYWHERE)

    async def preview(self, spec: PreviewSpec, caller: Caller, now: datetime) -> PreviewReply:
        """Rows of a query, on a snapshot or live; positions, which only snapshots have, on the latest one. Of a report
        it is the freeze that is asked, within what the caller may see."""
        place = await self._place(spec.snapshot_id) if spec.snapshot_id else None
        freeze_id = place.freeze_id if isinstance(place, errands.Report) else place
        asked = errands.Preview(spec=spec, freeze_id=freeze_id, now=now)
        return rules.preview_of(spec.collection, await self._room.run(asked, Previewed, caller.floors))

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
            return await self._room.run(asked, Made, within(caller, document))

    async def request_run(self, request: RequestRun, caller: Caller, now: datetime) -> Run:
        """Ask the worker for something."""
        kind = rules.parse_kind(request.kind)
        run_id = f"run-{uuid.uuid4().hex[:16]}"
        made = queued(run_id, kind, as_stored(now), request.name or "", caller.username)
        await self._runs.insert_one(made)
        return as_run(made)

    async def run(self, run_id: str, caller: Caller) -> Run:
        """One run; people with a scope see those that they asked for. Raises RunUnknown or OutOfReach."""
        found = await self._runs.find_one({"_id": run_id})
        if found is None:
            raise rules.RunUnknown(run_id=run_id)
        if found["requested_by"] != caller.username:
            check_unscoped(caller)
        return as_run(found)

    async def runs(self, wanted: Document, skip: int, limit: int) -> list[Run]:
        """Runs, newest first, without the schedules that they carry along."""
        found = self._runs.find(wanted, {"schedule": 0}).sort("requested_at", -1).skip(skip).limit(limit)
        return [as_run(each) async for each in found]

    async def _place(self, snapshot_id: str) -> errands.Place:
        return rules.place_of(snapshot_id, await self._snapshots.find_one({"_id": snapshot_id}))

    async def fresh_freeze(self, caller: Caller, name: str = "") -> str:
        """Have the worker freeze the data as it is now, under a name. Gives the id of the freeze.

        Raises WorkerAway or FreezeFailed.
        """
        asked = await self.request_run(RequestRun(kind=RunKind.MATERIALISE, name=name), caller, datetime.now(UTC))
        deadline = time.monotonic() + _FRESH_FREEZE_SECONDS
        while time.monotonic() < deadline:
            outcome = await self.run(asked.run_id, caller)
            if outcome.status == RunStatus.SUCCEEDED and outcome.snapshot_id:
                return outcome.snapshot_id
            if outcome.status == RunStatus.FAILED:
                raise FreezeFailed(reason=outcome.error or "unknown reason")
            await asyncio.sleep(0.1)
        raise WorkerAway(service="worker", retry_after=_FRESH_FREEZE_SECONDS)


def _since(started: float) -> float:
    """Milliseconds."""
    return round((time.perf_counter() - started) * 1000, 1)
