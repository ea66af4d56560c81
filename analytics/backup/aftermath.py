"""What is changed in a restored database, so that what happened since the backup can do no harm.

The world has gone on since: racks were claimed, logins used, mails sent. A restored database knows nothing of that
(docs/decisions/0034).
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct
from pymongo.collection import Collection as Stored

from analytics.backup.manifest import Manifest
from stockverify import activity
from stockverify.clients import Document
from stockverify.vocabulary import Action, Collection, DeliveryState, RunStatus, ScheduleState

FENCE_STEP, FENCE_PER_SECOND = 1_000_000, 1_000

Beside = Callable[[Collection], Stored[Document]]
"""Gives a collection that is being restored."""


class Aftermath(Struct, frozen=True, kw_only=True):
    """What was changed: by how much all fences rose, and how many racks, users with logins, schedules, runs and mails
    were concerned."""

    fence_rise: int
    racks: int
    logins_ended: int
    schedules_paused: int
    runs_ended: int
    mails_ended: int


def fence_rise(as_of: datetime, now: datetime) -> int:
    """More than a rack can have been granted since the backup; and more the second time that one is restored, so that
    no fence is given out twice either way."""
    return FENCE_STEP + FENCE_PER_SECOND * max(0, int((now - as_of).total_seconds()))


def make_harmless(beside: Beside, manifest: Manifest, now: datetime) -> Aftermath:
    """Raise the fences, end logins, pause report schedules, end what was under way, and say so in the audit log."""
    why = f"Restored from backup {manifest.backup_id}, as of {manifest.as_of:%Y-%m-%d %H:%M} UTC."
    rise = fence_rise(manifest.as_of, now)
    done = Aftermath(
        fence_rise=rise,
        racks=_all(beside(Collection.RACKS), {}, {"$inc": {"fence": rise}}),
        logins_ended=_all(beside(Collection.USERS), {"logins.0": {"$exists": True}}, {"$set": {"logins": []}}),
        schedules_paused=_pause(beside(Collection.SCHEDULES), f"{why} Resume it when you have looked at it."),
        runs_ended=_end_runs(beside(Collection.RUNS), why, now),
        mails_ended=_end_mails(beside(Collection.DELIVERIES), why, now),
    )
    beside(Collection.ACTIVITY_LOGS).insert_one(_noted(manifest, done, now))
    return done


def _pause(schedules: Stored[Document], why: str) -> int:
    """Reports may have been sent since, or this may be a copy to try something out: a person starts them again."""
    active = {"state": ScheduleState.ACTIVE.value, "builtin": {"$ne": True}}
    paused = {"state": ScheduleState.PAUSED.value, "paused_reason": why, "next_due_at": None}
    return _all(schedules, active, {"$set": paused})


def _end_runs(runs: Stored[Document], why: str, now: datetime) -> int:
    """Nobody is told anew of what ended badly before."""
    runs.update_many({"untold": {"$exists": True}}, {"$unset": {"untold": ""}})
    under_way = {"status": {"$in": [RunStatus.QUEUED.value, RunStatus.RUNNING.value]}}
    failed = {"status": RunStatus.FAILED.value, "error": why, "finished_at": now, "lease_until": None}
    return _all(runs, under_way, {"$set": failed})


def _end_mails(deliveries: Stored[Document], why: str, now: datetime) -> int:
    """What was not handed over yet is cancelled. What may have arrived stays `unknown`, and is not sent again."""
    deliveries.update_many({"notice_due": {"$exists": True}}, {"$unset": {"notice_due": ""}})
    queued, sending, unknown = DeliveryState.QUEUED.value, DeliveryState.SENDING.value, DeliveryState.UNKNOWN.value
    handed_over = {"state": sending, "data_at": {"$ne": None}}
    waits = {"state": unknown, "next_attempt_at": {"$ne": None}}
    return _end(deliveries, {"$or": [handed_over, waits]}, unknown, why, now) + _end(
        deliveries, {"state": {"$in": [queued, sending]}}, DeliveryState.CANCELLED.value, why, now
    )


def _end(deliveries: Stored[Document], wanted: Document, state: str, why: str, now: datetime) -> int:
    over = {"state": state, "error": why, "lease_until": None, "next_attempt_at": None}
    said = {"at": now, "state": state, "reply": why}
    return _all(deliveries, wanted, {"$set": over, "$push": {"log": said}})


def _all(collection: Stored[Document], wanted: Document, change: Document) -> int:
    return collection.update_many(wanted, change).modified_count


def _noted(manifest: Manifest, done: Aftermath, now: datetime) -> dict[str, Any]:
    details = {"as_of": manifest.as_of, "documents": manifest.documents, "fence_rise": done.fence_rise}
    return activity.unsealed(
        f"a-{uuid.uuid4().hex}", Action.BACKUP_RESTORED, activity.COMMAND_LINE, manifest.backup_id, now, details
    )
