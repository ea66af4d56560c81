"""Pure decisions about time: when the next snapshot is due, and what it is called."""

from datetime import UTC, datetime, timedelta

from stockverify.clients import Document
from stockverify.vocabulary import RunKind, RunStatus

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SCHEDULE = "schedule"


def slot(now: datetime, interval: int) -> datetime:
    """The start of the interval that `now` lies in; the same for every worker, whenever it was started."""
    step = timedelta(seconds=interval)
    return _EPOCH + (now - _EPOCH) // step * step


def due(now: datetime, interval: int, last: datetime | None) -> datetime | None:
    """The slot to take a snapshot for, or None while its turn was taken. Slots that an outage missed are not made up
    for, and a clock that is set back takes none twice."""
    current = slot(now, interval)
    return current if last is None or current > last else None


def interval_run(due_at: datetime, interval: int, now: datetime) -> Document:
    """The run of a slot. Its id derives from the slot, so that of several workers only one can queue it."""
    return {
        "_id": f"every-{interval}s-{due_at:%Y%m%dT%H%M%SZ}",
        "kind": RunKind.MATERIALISE.value,
        "status": RunStatus.QUEUED.value,
        "name": "",
        "requested_by": SCHEDULE,
        "requested_at": now,
        "started_at": None,
        "finished_at": None,
        "snapshot_id": None,
        "error": None,
    }
