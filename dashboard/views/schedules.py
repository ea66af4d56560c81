"""Schedules and their runs, in words and as tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from analytics.figures import FIGURES, WORK
from analytics.glance.numbers import amount
from analytics.glance.words import heading
from dashboard.views.timing import words as timing_words
from stockverify.vocabulary import Condition, RunKind, RunPurpose, RunStatus, ScheduleState, Subject
from stockverify.wire.reports import Run
from stockverify.wire.schedules import DueTime, ReportOf, Schedule, SentWhen

KINDS = {
    RunKind.REPORT: "Mail a report",
    RunKind.MATERIALISE: "Take a snapshot",
    RunKind.STALE_SWEEP: "Give back silent racks",
    RunKind.ANOMALY_SCAN: "Look for anomalies",
    RunKind.INTEGRITY: "Check everything stored",
    RunKind.BACKUP: "Back up the database",
    RunKind.RETENTION: "Remove old snapshots",
}
SUBJECTS = {
    Subject.SUMMARY: "Dashboard summary",
    Subject.TEMPLATE: "Ready-made report",
    Subject.QUERY: "Saved query",
    Subject.COMPARISON: "Changes since the last delivery",
    Subject.SNAPSHOT: "All positions of a snapshot",
}
STATES = {ScheduleState.ACTIVE: "Active", ScheduleState.PAUSED: "Paused", ScheduleState.DRAFT: "Draft"}
CONDITIONS = {
    Condition.ALWAYS: "Always",
    Condition.ROWS: "Only if the report has rows",
    Condition.CHANGED: "Only if something changed since the last delivery",
    Condition.FIGURE: "Only when a figure crosses its limit, and once when it is back",
}
PURPOSES = {
    RunPurpose.SCHEDULED: "Was due",
    RunPurpose.NOW: "Run now",
    RunPurpose.TEST: "Test",
    RunPurpose.PREVIEW: "Preview",
}
OPERATORS = {"gt": "above", "gte": "at or above", "lt": "below", "lte": "at or below"}
RUN_STATES = {
    RunStatus.QUEUED: "Waiting",
    RunStatus.RUNNING: "Under way",
    RunStatus.SUCCEEDED: "Done",
    RunStatus.FAILED: "Failed",
}
LATEST = "latest"
"""Stands for whichever snapshot is the newest when a report is due."""
FIGURE_TITLES = {figure.name: figure.title for figure in (*FIGURES, *WORK)}
_UNITS = {figure.name: figure.unit for figure in (*FIGURES, *WORK)}
_INSTANT = pl.Datetime("ms", "UTC")
_LIST: Mapping[str, Any] = {
    "name": pl.String,
    "state": pl.String,
    "next_here": _INSTANT,
    "last": pl.String,
    "when": pl.String,
    "next_there": pl.String,
    "what": pl.String,
    "recipients": pl.Int64,
    "owner": pl.String,
}
_RUNS: Mapping[str, Any] = {
    "asked_at": _INSTANT,
    "purpose": pl.String,
    "status": pl.String,
    "late": pl.String,
    "said": pl.String,
    "seconds": pl.Float64,
    "attempts": pl.Int64,
    "snapshot_id": pl.String,
    "requested_by": pl.String,
}


def table(found: Iterable[Schedule]) -> pl.DataFrame:
    """A row for each schedule; its next due time by its own clock and as an instant."""
    return pl.DataFrame([_row(each) for each in found], schema=_LIST)


def subject(report: ReportOf | None, names: Mapping[str, str] | None = None) -> str:
    """What a report is about. `names` are those of saved queries by their ids."""
    if report is None:
        return ""
    told, ref = SUBJECTS[report.subject], report.ref or ""
    match report.subject:
        case Subject.TEMPLATE:
            return f"{told}: {heading(ref)}"
        case Subject.QUERY:
            return f"{told}: {(names or {}).get(ref, ref)}" if ref else "A query of its own"
        case Subject.SNAPSHOT:
            return "All positions of " + ("the latest snapshot" if ref == LATEST else f"snapshot {ref}")
    return told


def condition(when: SentWhen) -> str:
    """When a report that is due is sent; a limit with its figure."""
    if when.kind is not Condition.FIGURE or when.figure is None:
        return CONDITIONS[when.kind]
    title = FIGURE_TITLES.get(when.figure, when.figure)
    limit = amount(when.limit, _UNITS.get(when.figure, "units"))
    return f"Once when {title} is {OPERATORS[when.op or 'gt']} {limit}, and once when it is back"


def size(limit: int) -> str:
    """What becomes of large files."""
    return f"Attached up to {limit / 2**20:,.4g} MiB; what is larger is zipped, and if that is too large, linked"


def last(schedule: Schedule) -> str:
    """How the latest run ended, in a few words."""
    if schedule.last is None:
        return "Never ran"
    if schedule.last.status == RunStatus.FAILED:
        return f"Failed, {schedule.failures} in a row" if schedule.failures > 1 else "Failed"
    return "Done, over its limit" if schedule.last.over_limit else "Done"


def due(time: DueTime, zone: str) -> str:
    """A due time by the clock of the schedule."""
    return _by_clock(datetime.fromisoformat(time.utc), ZoneInfo(zone))


def due_times(times: Sequence[DueTime], zone: str, here: ZoneInfo) -> dict[str, list[str]]:
    """The next times by three clocks: that of the schedule, that of the reader unless it is the same, and UTC."""
    instants = [datetime.fromisoformat(time.utc) for time in times]
    clocks = {zone: ZoneInfo(zone), f"{here.key} (this dashboard)": here, "UTC": ZoneInfo("UTC")}
    if here.key == zone:
        clocks.pop(f"{here.key} (this dashboard)")
    return {name: [_by_clock(each, clock) for each in instants] for name, clock in clocks.items()}


def runs(found: Iterable[Run]) -> pl.DataFrame:
    """A row for each run: why there was one, what came of it, and why not."""
    return pl.DataFrame([_run(each) for each in found], schema=_RUNS)


def said(run: Run) -> str:
    """What came of a run, or why nothing did."""
    return run.error or str(run.result.get("skipped") or "") or run.note


def may_change(schedule: Schedule, username: str, is_admin: bool) -> bool:
    """Whether a supervisor or admin may change it; the service decides in the end."""
    return is_admin or (schedule.owner == username and not schedule.builtin)


def whose(schedule: Schedule) -> str:
    """Who looks after it."""
    return "the house" if schedule.builtin else schedule.owner


def _row(each: Schedule) -> dict[str, Any]:
    first = each.next[0] if each.next else None
    return {
        "name": each.name,
        "what": subject(each.report) or KINDS[each.kind],
        "when": timing_words(each.cron),
        "state": STATES[each.state],
        "next_there": _by_clock(datetime.fromisoformat(first.utc), ZoneInfo(each.zone), "") if first else None,
        "next_here": datetime.fromisoformat(first.utc) if first else None,
        "last": last(each),
        "recipients": len(each.recipients) if each.kind is RunKind.REPORT else None,
        "owner": whose(each),
    }


def _run(each: Run) -> dict[str, Any]:
    return {
        "asked_at": datetime.fromtimestamp(each.requested_at if each.due_at is None else each.due_at, UTC),
        "purpose": PURPOSES[RunPurpose(each.purpose)],
        "status": RUN_STATES[RunStatus(each.status)],
        "late": "Late" if each.late else "",
        "said": said(each),
        "seconds": each.seconds,
        "attempts": each.attempts,
        "snapshot_id": each.snapshot_id,
        "requested_by": each.requested_by,
    }


def _by_clock(instant: datetime, zone: ZoneInfo, year: str = " %Y") -> str:
    local = instant.astimezone(zone)
    return f"{local:%a} {local.day} {local.strftime(f'%b{year}, %H:%M %Z')}"
