"""Pure decisions about comparisons: what is kept of one, how it is shown, and when it is given up for lost."""

from datetime import datetime, timedelta
from typing import Any, cast

import msgspec

from ingest.auth.rules import Caller
from ingest.reports.answers import Compared, ComparedPage
from ingest.reports.errands import CompareBoth, Place
from ingest.snapshots.rules import pagination
from stockverify.clients import Document, as_stored
from stockverify.errors import Forbidden, NotFound, Refused
from stockverify.vocabulary import ComparisonStatus, Role
from stockverify.wire.comparisons import Compare, ComparisonContributions, ComparisonJob, ComparisonRows, RowKind
from stockverify.wire.reports import Row

LOST_AFTER = timedelta(hours=2)
"""Twice the patience of the long desk, and as much again for those who wait there before."""
LOST = "The service ended before the comparison was done. Compare these snapshots again."


class ComparisonUnknown(NotFound):
    """Comparison {job_id} is not known. GET /api/reports/compare lists all."""


class ComparisonUnfinished(NotFound):
    """Comparison {job_id} has no rows to show, because it is {status}. {error}"""


class ComparisonCancelled(Refused):
    """Comparison {job_id} was cancelled; nothing of it was kept. Compare these snapshots again to have it made."""


class NotYourComparison(Forbidden):
    """Comparison {job_id} was asked for by {owner}; whoever asked for it or an admin may cancel it."""


class ComparisonEnded(Refused):
    """Comparison {job_id} is {status}; only one that is running can be cancelled."""


def may_cancel(document: Document, caller: Caller) -> None:
    """Raises NotYourComparison."""
    if caller.role is not Role.ADMIN and document["created_by"] != caller.username:
        raise NotYourComparison(job_id=document["_id"], owner=document["created_by"])


def question(request: Compare, first: Place, second: Place) -> CompareBoth:
    """What is asked of the reports process."""
    return CompareBoth(
        first=first, second=second, dataset=request.dataset, tolerances=request.tolerances, ignore=request.ignore
    )


def name_of(request: Compare) -> str:
    """What a comparison is called: as it was asked for, or by its snapshots."""
    return request.comparison_name or f"{request.snapshot_a_id} against {request.snapshot_b_id}"


def begun(job_id: str, request: Compare, asked: CompareBoth, caller: Caller, now: datetime) -> Document:
    """A comparison as it is stored before it is made. `asked` is kept to answer it again from its snapshots."""
    return {
        "_id": job_id,
        "name": name_of(request),
        "snapshot_a_id": request.snapshot_a_id,
        "snapshot_b_id": request.snapshot_b_id,
        "asked": msgspec.json.encode(asked).decode(),
        "comparison_id": None,
        "comparison_result": None,
        "execution_time_ms": 0.0,
        "created_by": caller.username,
        "created_at": as_stored(now),
        "status": ComparisonStatus.RUNNING.value,
        "error": None,
    }


def completed(asked: CompareBoth, found: Compared, milliseconds: float) -> Document:
    """What changes in a comparison when it is done. Its rows stay in the lake, but for those that the contract shows.
    From now on the question names its snapshots: `latest` will be another one tomorrow."""
    sides = found.result["metadata"]
    freeze_ids = [sides[side]["snapshot_id"] for side in ("baseline", "comparison")]
    places = zip((asked.first, asked.second), freeze_ids, strict=True)
    first, second = (freeze_id if isinstance(place, str) else place for place, freeze_id in places)
    pinned = msgspec.structs.replace(asked, first=first, second=second)
    return {
        "status": ComparisonStatus.COMPLETED.value,
        "asked": msgspec.json.encode(pinned).decode(),
        "freeze_ids": freeze_ids,
        "comparison_id": found.comparison_id,
        "comparison_result": found.result,
        "execution_time_ms": milliseconds,
    }


def failed(reason: str, milliseconds: float) -> Document:
    """What changes in a comparison that could not be made."""
    return {"status": ComparisonStatus.FAILED.value, "error": reason, "execution_time_ms": milliseconds}


def cancelled(milliseconds: float) -> Document:
    """What changes in a comparison that nobody wants any more."""
    return {"status": ComparisonStatus.CANCELLED.value, "execution_time_ms": milliseconds}


def as_job(document: Document, now: datetime) -> ComparisonJob:
    """A stored comparison as replies show it."""
    shown: dict[str, Any] = {"job_id": document["_id"], "created_at": document["created_at"].timestamp()}
    if document["status"] == ComparisonStatus.RUNNING and document["created_at"] < now - LOST_AFTER:
        shown |= {"status": ComparisonStatus.FAILED.value, "error": LOST}
    return msgspec.convert(document | shown, ComparisonJob)


def asked_of(document: Document, now: datetime) -> CompareBoth:
    """The question of a finished comparison. Raises ComparisonUnfinished, also for one of an earlier version, which
    kept no rows."""
    job = as_job(document, now)
    if job.status != ComparisonStatus.COMPLETED or "asked" not in document:
        error = job.error or ("Try again later." if job.status == ComparisonStatus.RUNNING else "Compare again.")
        raise ComparisonUnfinished(job_id=job.job_id, status=job.status, error=error)
    return msgspec.json.decode(document["asked"], type=CompareBoth)


def rows_of(job_id: str, kind: RowKind, found: ComparedPage, skip: int, limit: int) -> ComparisonRows:
    """One page, with the rows as JSON as they came."""
    rows = cast(list[Row], msgspec.Raw(found.rows))
    return ComparisonRows(job_id=job_id, kind=kind, rows=rows, pagination=pagination(skip, limit, found.total or 0))


def contributions_of(job_id: str, found: dict[str, Any]) -> ComparisonContributions:
    """Why a total moved."""
    return msgspec.convert(found | {"job_id": job_id}, ComparisonContributions)
