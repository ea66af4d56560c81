"""The document of a run as it is queued. The worker queues what is due, the service what people ask for."""

from datetime import datetime

from stockverify.clients import Document
from stockverify.vocabulary import RunKind, RunPurpose, RunStatus

SCHEDULE = "schedule"
"""Who asked for what no person asked for."""


def queued(run_id: str, kind: RunKind, now: datetime, name: str = "", requested_by: str = SCHEDULE) -> Document:
    """A run of no schedule. What a person waits for comes before what was merely due."""
    asked = requested_by != SCHEDULE
    return {
        "_id": run_id,
        "kind": kind.value,
        "status": RunStatus.QUEUED.value,
        "rank": 0 if asked else 1,
        "purpose": (RunPurpose.NOW if asked else RunPurpose.SCHEDULED).value,
        "name": name,
        "schedule_id": None,
        "schedule": None,
        "due_at": None,
        "late": False,
        "requested_by": requested_by,
        "requested_by_id": None,
        "requested_email": None,
        "requested_at": now,
        "started_at": None,
        "finished_at": None,
        "snapshot_id": None,
        "result": {},
        "note": "",
        "error": None,
    }


def due_run(schedule: Document, due_at: datetime, caught_up: bool, now: datetime) -> Document:
    """The one run of a schedule's due time; its id says so. `caught_up`: it stands for due times that were missed."""
    made = queued(f"{schedule['_id']}@{due_at:%Y%m%dT%H%M%SZ}", RunKind(schedule["kind"]), now, schedule["name"])
    return made | {"schedule_id": schedule["_id"], "schedule": schedule, "due_at": due_at, "late": caught_up}


def asked_run(
    run_id: str, schedule: Document, purpose: RunPurpose, by: str, by_id: str, email: str | None, now: datetime
) -> Document:
    """A run of a schedule that a person asks for, whenever it is due."""
    made = queued(run_id, RunKind(schedule["kind"]), now, schedule["name"], by)
    return made | {
        "purpose": purpose.value,
        "schedule_id": schedule["_id"],
        "schedule": schedule,
        "requested_by_id": by_id,
        "requested_email": email,
    }
