"""Pure: how a run ended, as its document says it, and what that means for its schedule."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from jobs.tools import Done
from stockverify.clients import Document
from stockverify.vocabulary import RunPurpose, RunStatus, ScheduleState

MAX_ATTEMPTS = 3
MAX_FAILURES = 5
"""After so many failed runs in a row a schedule is paused."""
_LONGEST = 1000
_DELIVERED = {"delivered_snapshot_id": "snapshot_id", "content_hash": "content_hash"}
"""What a delivery leaves behind for the runs after it, and where it comes from."""


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


def after(schedule: Document, run: Document, outcome: Document, unfit: str | None) -> After:
    """What changes in the schedule as it is now. Tests and previews change nothing, and what a person started does not
    count as a failure: that person sees it. `unfit` says why the schedule can have no further run."""
    purpose = run["purpose"]
    if purpose not in (RunPurpose.SCHEDULED, RunPurpose.NOW):
        return NOTHING
    changes: Document = {"last": _last(schedule["last"], run, outcome)} if _is_newest(schedule["last"], run) else {}
    if outcome["status"] == RunStatus.SUCCEEDED:
        return After(changes | {"failures": 0}, [])
    if purpose == RunPurpose.NOW:
        return After(changes, [])
    failures = schedule["failures"] + 1
    return _failure(schedule, run, outcome["error"], changes | {"failures": failures}, unfit)


def _failure(schedule: Document, run: Document, error: str, changes: Document, unfit: str | None) -> After:
    """The first failure in a row is told, and the one that pauses the schedule."""
    name, to, is_active = schedule["name"], schedule["owner_id"], schedule["state"] == ScheduleState.ACTIVE
    if is_active and (unfit or changes["failures"] >= MAX_FAILURES):
        reason = unfit or f"It failed {changes['failures']} times in a row; the last time: {error}"
        paused = {"state": ScheduleState.PAUSED.value, "paused_reason": reason[:_LONGEST], "next_due_at": None}
        text = f"The schedule {name!r} was paused. {reason}\n\nIt stays paused until somebody resumes it."
        notice = Notice(f"paused:{run['_id']}", None if unfit else to, f"Paused: {name}", text)
        return After(changes | paused, [notice])
    text = f"The schedule {name!r} could not do what it is for.\n\n{error}\n\nIt goes on at its next due time."
    first = [Notice(f"failed:{run['_id']}", to, f"Failed: {name}", text)] if changes["failures"] == 1 else []
    return After(changes, first)


def moment_of(run: Document) -> datetime:
    """What a run's place among those of its schedule goes by: when it was due, or else asked for."""
    moment: datetime = run["due_at"] or run["requested_at"]
    return moment


def _is_newest(last: Mapping[str, Any] | None, run: Document) -> bool:
    return last is None or bool(last["due_at"] <= moment_of(run))


def _last(last: Mapping[str, Any] | None, run: Document, outcome: Document) -> Document:
    """What the next run will know. Only what was delivered replaces what was delivered before."""
    before, result = last or {}, outcome.get("result", {})
    is_delivered = outcome["status"] == RunStatus.SUCCEEDED and not result.get("skipped")
    values = result | {"snapshot_id": outcome.get("snapshot_id")} if is_delivered else {}
    kept = {name: values.get(source) if is_delivered else before.get(name) for name, source in _DELIVERED.items()}
    return {
        "run_id": run["_id"],
        "due_at": moment_of(run),
        "status": outcome["status"],
        "snapshot_id": outcome.get("snapshot_id"),
        "over_limit": bool(result.get("over_limit", before.get("over_limit", False))),
        **kept,
    }
