"""Pure: how a run ended, as its document says it, and what that means for its schedule."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from jobs.runs.delivered import Fate, Known, known, with_run
from jobs.tools import Done
from stockverify.clients import Document
from stockverify.vocabulary import RunPurpose, RunStatus, ScheduleState

MAX_ATTEMPTS = 3
MAX_FAILURES = 5
"""After so many failed runs in a row a schedule is paused."""
_LONGEST = 1000
_UNDELIVERED = "none of its mails arrived; the list of deliveries says why."


class Notice(NamedTuple):
    """Something that a person must be told: once for each occasion. Without `to` every admin is told."""

    occasion: str
    to: str | None
    subject: str
    text: str


class After(NamedTuple):
    """What a run's end changes in its schedule, and who must be told."""

    changes: Document
    notices: list[Notice]


NOTHING = After({}, [])
_UNKNOWN: Mapping[str, Fate] = {}


def succeeded(done: Done, now: datetime) -> Document:
    """It gave this; the snapshot is None when it was for something else."""
    return {
        "status": RunStatus.SUCCEEDED.value,
        "snapshot_id": done.snapshot_id,
        "result": dict(done.result),
        "note": done.note[:_LONGEST],
        "finished_at": now,
        "error": None,
    }


def failed(message: str, now: datetime) -> Document:
    """It cannot be done; the message says why."""
    return {"status": RunStatus.FAILED.value, "finished_at": now, "error": message[:_LONGEST]}


def skipped(reason: str, now: datetime) -> Document:
    """There was nothing to be done any more."""
    return succeeded(Done(result={"skipped": reason}, note=reason), now)


def worn_out(run: Document) -> bool:
    """Whether a run was taken more often than a passing trouble explains."""
    return bool(run["attempts"] > MAX_ATTEMPTS)


def after(
    schedule: Document, run: Document, outcome: Document, unfit: str | None, fates: Mapping[str, Fate] = _UNKNOWN
) -> After:
    """What changes in the schedule as it is now. Tests and previews change nothing, and what a person started does not
    count as a failure: that person sees it. `unfit` says why the schedule can have no further run; `fates`, what has
    become of the mails of earlier ones."""
    purpose, newest = run["purpose"], _is_newest(schedule["last"], run)
    if purpose not in (RunPurpose.SCHEDULED, RunPurpose.NOW):
        return NOTHING
    found = known(schedule["last"], fates) if newest else Known(())
    changes: Document = {"last": _last(found, run, outcome)} if newest else {}
    failures = (0 if found.begun_anew else schedule["failures"]) + found.failed
    if outcome["status"] == RunStatus.SUCCEEDED:
        changes |= {"failures": failures if found.failed or found.undecided else 0}
        return _undelivered(schedule, run, changes) if found.failed else After(changes, [])
    if purpose == RunPurpose.NOW:
        return After(changes | ({"failures": failures} if found.failed else {}), [])
    return _failure(schedule, run, outcome["error"], changes | {"failures": failures + 1}, unfit)


def _failure(schedule: Document, run: Document, error: str, changes: Document, unfit: str | None) -> After:
    """The first failure in a row is told, and the one that pauses the schedule."""
    name, to = schedule["name"], schedule["owner_id"]
    if schedule["state"] == ScheduleState.ACTIVE and (unfit or changes["failures"] >= MAX_FAILURES):
        return _paused(schedule, run, changes, unfit or _in_a_row(changes, error), None if unfit else to)
    text = f"The schedule {name!r} could not do what it is for.\n\n{error}\n\nIt goes on at its next due time."
    first = [Notice(f"failed:{run['_id']}", to, f"Failed: {name}", text)] if changes["failures"] == 1 else []
    return After(changes, first)


def _undelivered(schedule: Document, run: Document, changes: Document) -> After:
    """The owner has had a notice of each delivery that failed; here it is told only that the schedule is paused."""
    if schedule["state"] != ScheduleState.ACTIVE or changes["failures"] < MAX_FAILURES:
        return After(changes, [])
    return _paused(schedule, run, changes, _in_a_row(changes, _UNDELIVERED), schedule["owner_id"])


def _in_a_row(changes: Document, error: str) -> str:
    return f"It failed {changes['failures']} times in a row; the last time: {error}"


def _paused(schedule: Document, run: Document, changes: Document, reason: str, to: str | None) -> After:
    paused = {"state": ScheduleState.PAUSED.value, "paused_reason": reason[:_LONGEST], "next_due_at": None}
    text = f"The schedule {schedule['name']!r} was paused. {reason}\n\nIt stays paused until somebody resumes it."
    return After(changes | paused, [Notice(f"paused:{run['_id']}", to, f"Paused: {schedule['name']}", text)])


def moment_of(run: Document) -> datetime:
    """What a run's place among those of its schedule goes by: when it was due, or else asked for."""
    moment: datetime = run["due_at"] or run["requested_at"]
    return moment


def _is_newest(last: Mapping[str, Any] | None, run: Document) -> bool:
    return last is None or bool(last["due_at"] <= moment_of(run))


def _last(found: Known, run: Document, outcome: Document) -> Document:
    """What the next run will know."""
    return with_run(found, run, outcome).last() | {
        "run_id": run["_id"],
        "due_at": moment_of(run),
        "status": outcome["status"],
        "snapshot_id": outcome.get("snapshot_id"),
    }
