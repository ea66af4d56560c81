"""The schedules of the house: made once, paused and re-timed by admins, never deleted."""

from collections.abc import Iterator
from datetime import datetime

from stockverify.clients import Document
from stockverify.cron import next_due
from stockverify.vocabulary import Condition, RunKind, ScheduleState

BUILTIN: tuple[tuple[RunKind, str, str], ...] = (
    (RunKind.STALE_SWEEP, "Sweep of silent sessions and locks", "*/5 * * * *"),
    (RunKind.ANOMALY_SCAN, "Search for anomalies", "10 * * * *"),
    (RunKind.INTEGRITY, "Check of indexes and files", "30 3 * * *"),
    (RunKind.BACKUP, "Backup of the database", "30 2 * * *"),
)
"""What, by which name, when; in the zone of the house."""


def builtin(zone: str, now: datetime) -> Iterator[Document]:
    """The documents of all of them, as they are made."""
    for kind, name, cron in BUILTIN:
        yield {
            "_id": f"sch-{kind.value.replace('_', '-')}",
            "name": name,
            "kind": kind.value,
            "report": None,
            "formats": [],
            "recipients": [],
            "unsubscribed": [],
            "condition": {"kind": Condition.ALWAYS.value, "figure": None, "op": None, "limit": None},
            "max_attachment_bytes": 0,
            "cron": cron,
            "zone": zone,
            "state": ScheduleState.ACTIVE.value,
            "paused_reason": None,
            "failures": 0,
            "owner_id": None,
            "owner": "",
            "note": "",
            "next_due_at": next_due(cron, zone, now),
            "created_at": now,
            "updated_at": now,
            "revision": 1,
            "last": None,
            "builtin": True,
        }
