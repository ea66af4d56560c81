"""/api/reports/schedules, and the letters of runs"""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from ingest.outages import TAKES_ITS_TIME
from ingest.wiring import CurrentCaller, Stores
from stockverify.vocabulary import RunPurpose, ScheduleState
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

Listed = Annotated[int, QueryParameter(ge=1, le=1000)]
Skip = Annotated[int, QueryParameter(ge=0, le=1_000_000)]
Id = FromPath[str]


class ScheduleController(Controller):
    """Schedules: made, changed, paused, resumed, tried out."""

    path = "/api/reports"
    opt = TAKES_ITS_TIME
    tags = ("schedules",)

    @post("/schedules", name="schedules.create")
    async def create(self, data: JSONBody[SaveSchedule], caller: CurrentCaller, stores: Stores) -> Schedule:
        """Make a schedule; one that cannot work is refused."""
        return await stores.schedules.create(data, caller, datetime.now(UTC))

    @get("/schedules", name="schedules.list")
    async def schedules(
        self,
        stores: Stores,
        owner: FromQuery[str | None] = None,
        schedule_state: Annotated[ScheduleState | None, QueryParameter(name="state")] = None,
        limit: Listed = 100,
    ) -> list[Schedule]:
        """Schedules, newest first; `owner` is a user name."""
        return await stores.schedules.schedules(owner, schedule_state, limit, datetime.now(UTC))

    @post("/schedules/next", name="schedules.next", status_code=HTTP_200_OK)
    async def next_times(self, data: JSONBody[NextTimes], stores: Stores) -> list[DueTime]:
        """The next five times of a cron expression in a zone."""
        return await stores.schedules.next_times(data, datetime.now(UTC))

    @get("/schedules/{schedule_id:str}", name="schedules.one")
    async def schedule(self, schedule_id: Id, stores: Stores) -> Schedule:
        """One schedule."""
        return await stores.schedules.schedule(schedule_id, datetime.now(UTC))

    @put("/schedules/{schedule_id:str}", name="schedules.change")
    async def change(
        self, schedule_id: Id, data: JSONBody[ChangeSchedule], caller: CurrentCaller, stores: Stores
    ) -> Schedule:
        """Say all of a schedule anew; for its owner and for admins."""
        return await stores.schedules.change(schedule_id, data, caller, datetime.now(UTC))

    @delete("/schedules/{schedule_id:str}", name="schedules.delete", status_code=HTTP_200_OK)
    async def delete(self, schedule_id: Id, caller: CurrentCaller, stores: Stores) -> ScheduleDeleted:
        """Forget a schedule; its runs stay in the history."""
        return await stores.schedules.delete(schedule_id, caller, datetime.now(UTC))

    @post("/schedules/{schedule_id:str}/pause", name="schedules.pause", status_code=HTTP_200_OK)
    async def pause(self, schedule_id: Id, caller: CurrentCaller, stores: Stores) -> Schedule:
        """Let a schedule rest until somebody resumes it."""
        return await stores.schedules.pause(schedule_id, caller, datetime.now(UTC))

    @post("/schedules/{schedule_id:str}/resume", name="schedules.resume", status_code=HTTP_200_OK)
    async def resume(self, schedule_id: Id, caller: CurrentCaller, stores: Stores) -> Schedule:
        """Let a schedule go on from its next due time, or start a draft."""
        return await stores.schedules.resume(schedule_id, caller, datetime.now(UTC))

    @post("/schedules/{schedule_id:str}/run", name="schedules.run", status_code=HTTP_202_ACCEPTED)
    async def run(self, schedule_id: Id, caller: CurrentCaller, stores: Stores) -> Run:
        """Have it done now, for all its recipients; ask for the run to see how it ends."""
        return await stores.schedules.run(schedule_id, RunPurpose.NOW, caller, datetime.now(UTC))

    @post("/schedules/{schedule_id:str}/test", name="schedules.test", status_code=HTTP_202_ACCEPTED)
    async def test(self, schedule_id: Id, caller: CurrentCaller, stores: Stores) -> Run:
        """Have the report sent now to your own address alone."""
        return await stores.schedules.run(schedule_id, RunPurpose.TEST, caller, datetime.now(UTC))

    @post("/schedules/{schedule_id:str}/preview", name="schedules.preview", status_code=HTTP_202_ACCEPTED)
    async def preview(self, schedule_id: Id, caller: CurrentCaller, stores: Stores) -> Run:
        """Have the report written and sent to nobody; GET /api/reports/runs/{run_id}/preview shows it."""
        return await stores.schedules.run(schedule_id, RunPurpose.PREVIEW, caller, datetime.now(UTC))

    @get("/schedules/{schedule_id:str}/runs", name="schedules.runs")
    async def runs(self, schedule_id: Id, stores: Stores, skip: Skip = 0, limit: Listed = 50) -> list[Run]:
        """What a schedule has done, newest first; also of one that was deleted."""
        return await stores.reports.runs({"schedule_id": schedule_id}, skip, limit)

    @get("/runs/{run_id:str}/preview", name="schedules.letter")
    async def letter(self, run_id: Id, stores: Stores) -> ShownLetter:
        """The letter of a run as it was, or would be, sent."""
        return await stores.schedules.letter(run_id)
