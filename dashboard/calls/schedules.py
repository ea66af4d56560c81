"""Schedules, their runs, and the letters of runs."""

import time
from typing import Any

import msgspec

from dashboard.desk import Desk, part
from stockverify.vocabulary import RunPurpose, RunStatus, ScheduleState
from stockverify.wire.queries import ReportTemplate, SavedQuery
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

MOST_SCHEDULES = 1000
MOST_RUNS = 100
MOST_QUERIES = 1000
PATIENCE = 60.0
_PAUSE = 0.3
_OVER = (RunStatus.SUCCEEDED, RunStatus.FAILED)
_PATH = "/api/reports/schedules"
_ORDERS = {RunPurpose.NOW: "run", RunPurpose.TEST: "test", RunPurpose.PREVIEW: "preview"}


def listed(desk: Desk, state: ScheduleState | None = None, owner: str = "") -> list[Schedule]:
    """Schedules, newest first."""
    return desk.get(_PATH, list[Schedule], limit=MOST_SCHEDULES, state=state and state.value, owner=owner)


def one(desk: Desk, schedule_id: str) -> Schedule:
    """One of them. Raises NotFound."""
    return desk.get(f"{_PATH}/{part(schedule_id)}", Schedule)


def create(desk: Desk, wanted: SaveSchedule) -> Schedule:
    """Make one. Raises BadInput that says which field is wrong."""
    return desk.post(_PATH, Schedule, msgspec.to_builtins(wanted))


def change(desk: Desk, schedule_id: str, wanted: ChangeSchedule) -> Schedule:
    """Say all of it anew. Raises Refused when somebody else has changed it since it was read."""
    return desk.put(f"{_PATH}/{part(schedule_id)}", Schedule, msgspec.to_builtins(wanted))


def pause(desk: Desk, schedule_id: str) -> Schedule:
    """Let it rest."""
    return desk.post(f"{_PATH}/{part(schedule_id)}/pause", Schedule)


def resume(desk: Desk, schedule_id: str) -> Schedule:
    """Let it go on, or start a draft."""
    return desk.post(f"{_PATH}/{part(schedule_id)}/resume", Schedule)


def delete(desk: Desk, schedule_id: str) -> ScheduleDeleted:
    """Forget it; its runs and mails stay in the history."""
    return desk.delete(f"{_PATH}/{part(schedule_id)}", ScheduleDeleted)


def order(desk: Desk, schedule_id: str, purpose: RunPurpose) -> Run:
    """Have it done now, as a test to oneself, or to look at. Raises what is against it."""
    return desk.post(f"{_PATH}/{part(schedule_id)}/{_ORDERS[purpose]}", Run)


def followed(desk: Desk, run: Run) -> Run:
    """The same run when it is over, or as far as it is when patience ends."""
    deadline = time.monotonic() + PATIENCE
    while run.status not in _OVER and time.monotonic() < deadline:
        time.sleep(_PAUSE)
        run = desk.get(f"/api/reports/runs/{part(run.run_id)}", Run)
    return run


def runs(desk: Desk, schedule_id: str) -> list[Run]:
    """What it has done of late, newest first."""
    return desk.get(f"{_PATH}/{part(schedule_id)}/runs", list[Run], limit=MOST_RUNS)


def letter(desk: Desk, run_id: str) -> ShownLetter:
    """What a run has written. Raises NotFound, and BadInput when it is kept no more."""
    return desk.get(f"/api/reports/runs/{part(run_id)}/preview", ShownLetter)


def next_times(desk: Desk, cron: str, zone: str) -> list[DueTime]:
    """The next five times of what was not saved yet. Raises BadInput that says what is wrong."""
    asked: Any = msgspec.to_builtins(NextTimes(cron=cron, zone=zone))
    return desk.post(f"{_PATH}/next", list[DueTime], asked)


def queries(desk: Desk) -> list[SavedQuery]:
    """Saved queries, newest first."""
    return desk.get("/api/reports/queries", list[SavedQuery], limit=MOST_QUERIES)


def query(desk: Desk, query_id: str) -> SavedQuery:
    """One of them. Raises NotFound."""
    return desk.get(f"/api/reports/queries/{part(query_id)}", SavedQuery)


def templates(desk: Desk) -> list[ReportTemplate]:
    """Reports that are there for a start."""
    return desk.get("/api/reports/templates", list[ReportTemplate])
