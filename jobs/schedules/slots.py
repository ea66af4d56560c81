"""Pure decisions about intervals: when the next snapshot and the next retention are due, and what they are called."""

from datetime import UTC, datetime, timedelta

from analytics.lake.manifest import Manifest
from stockverify.clients import Document
from stockverify.runs import queued
from stockverify.vocabulary import RunKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RETENTION_SECONDS = 3600
CROWDED_APART = timedelta(minutes=1)
"""MongoDB's count of records is an estimate, wrong after a crash: it must not bring one snapshot after the other."""


def slot(now: datetime, interval: int) -> datetime:
    """The start of the interval that `now` lies in; the same for every worker, whenever it was started."""
    step = timedelta(seconds=interval)
    return _EPOCH + (now - _EPOCH) // step * step


def due(now: datetime, interval: int, last: datetime | None) -> datetime | None:
    """The slot to take a snapshot for, or None while its turn was taken. Slots that an outage missed are not made up
    for, and a clock that is set back takes none twice."""
    current = slot(now, interval)
    return current if last is None or current > last else None


def retention_run(now: datetime) -> Document:
    """The run of this hour that removes what need not be kept."""
    hour = slot(now, RETENTION_SECONDS)
    return queued(f"retention-{hour:%Y%m%dT%H%M%SZ}", RunKind.RETENTION, now)


def crowded_run(latest: Manifest, stored: int, after: int, now: datetime) -> Document | None:
    """A run before its time, when `after` more records are stored than the latest snapshot has; once for each
    snapshot. None while there are fewer, or it is younger than a minute."""
    is_young = timedelta(0) <= now - latest.created_at < CROWDED_APART
    if is_young or stored - latest.rows < after:
        return None
    return queued(f"after-{after}-records-on-{latest.snapshot_id}", RunKind.MATERIALISE, now)


def interval_run(due_at: datetime, interval: int, now: datetime) -> Document:
    """The run of a slot."""
    return queued(f"every-{interval}s-{due_at:%Y%m%dT%H%M%SZ}", RunKind.MATERIALISE, now)
