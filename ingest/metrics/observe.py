"""What the rest of the service calls to have something counted. Each call costs a few microseconds and never fails."""

from collections import Counter
from collections.abc import Iterable
from functools import cache

from prometheus_client import Histogram

from ingest.metrics import declared
from ingest.metrics.rules import LOGIN_OPERATIONS, status_class
from stockverify.wire.sessions import DeviceQueue

_unlabelled = "none"


@cache  # finding the labelled child costs more than counting; there are few of them
def _latency(operation: str, method: str, status: str) -> Histogram:
    return declared.REQUEST_SECONDS.labels(operation, method, status)


def request(operation: str | None, method: str, status: int, seconds: float) -> None:
    """A request was answered; `operation` is None when no route fits it."""
    known = method if operation else _unlabelled  # strangers may make up methods
    _latency(operation or _unlabelled, known, status_class(status)).observe(seconds)
    if status == 429:
        declared.REQUESTS_LIMITED.inc()
    if status in (401, 403, 429) and operation in LOGIN_OPERATIONS:
        declared.LOGINS_REFUSED.labels(status_class(status)).inc()


def batch(outcomes: Iterable[str]) -> None:
    """A sync batch was answered: one outcome for each record."""
    counts = Counter(outcomes)
    declared.BATCH_RECORDS.observe(counts.total())
    for outcome, count in counts.items():
        declared.RECORDS.labels(outcome).inc(count)


def lease(event: str) -> None:
    """Something happened to a lease."""
    declared.LEASES.labels(event).inc()


def retried() -> None:
    """A transaction is run again because somebody else was faster."""
    declared.TRANSACTIONS_RETRIED.inc()


def queue(reported: DeviceQueue | None) -> None:
    """A device told how long its queue is."""
    if reported is None:
        return
    declared.DEVICE_QUEUE_RECORDS.observe(reported.length)
    if reported.age_seconds is not None:
        declared.DEVICE_QUEUE_AGE_SECONDS.observe(reported.age_seconds)
