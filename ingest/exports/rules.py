"""Pure decisions about export jobs: what one is made of, who may see and cancel it, what becomes of it, its link."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from ingest.auth.rules import Caller
from ingest.reports.errands import ExportJob as Errand
from ingest.reports.errands import Place, Report
from stockverify.clients import Document, as_stored
from stockverify.datasets import find
from stockverify.errors import BadInput, Forbidden, NotFound, Refused, TooMany
from stockverify.media_types import MEDIA_TYPES
from stockverify.vocabulary import ExportStatus, Role
from stockverify.wire.exports import CreateExport, ExportJob
from stockverify.wire.reports import QuerySpec

LEASE_SECONDS = 30
"""A job whose process has not been heard of for so long is taken up by another one."""
MAX_ATTEMPTS = 2
MOST_OPEN = 20
"""Jobs that one person may have waiting and running."""
REMEMBERED = timedelta(days=30)
OPEN = (ExportStatus.QUEUED, ExportStatus.RUNNING)
_SEE_ALL = frozenset({Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR})
_CANCEL_ALL = frozenset({Role.SUPERVISOR, Role.ADMIN})


class FormatUnknown(BadInput):
    """{name!r} is not an export format; use one of: {known}."""


class DatasetUnknown(BadInput):
    """There is no dataset {name!r}; use positions, records, sessions or items."""


class ExportUnknown(NotFound):
    """Export {job_id} is not known. GET /api/reports/exports lists all that you may see."""


class NotYourExport(Forbidden):
    """Export {job_id} was asked for by {owner}; they, a supervisor or an admin may do this."""


class ExportFinished(Refused):
    """Export {job_id} is {status} already, so it cannot be cancelled."""


class TooManyExports(TooMany):
    """You have {most} exports waiting or running; let some finish, or cancel them."""


def checked(request: CreateExport) -> None:
    """Raises FormatUnknown or DatasetUnknown."""
    if request.format.lower() not in MEDIA_TYPES:
        raise FormatUnknown(name=request.format[:40], known=", ".join(MEDIA_TYPES))
    if request.dataset is not None and find(request.dataset) is None:
        raise DatasetUnknown(name=request.dataset[:80])


def queued(
    job_id: str, request: CreateExport, place: Place, name: str | None, caller: Caller, now: datetime, seconds: int
) -> Document:
    """A job that waits; the place is pinned, so that `latest` stays what it was when it was asked for."""
    return {
        "_id": job_id,
        "status": ExportStatus.QUEUED.value,
        "format": request.format.lower(),
        "snapshot_id": request.snapshot_id if isinstance(place, Report) else place,
        "place": msgspec.to_builtins(place),
        "dataset": request.dataset,
        "bom": request.options.bom,
        "name": name,
        "created_by": caller.username,
        "created_by_id": caller.user_id,
        "created_at": as_stored(now),
        "forgotten_at": as_stored(now + timedelta(seconds=seconds) + REMEMBERED),
        "attempts": 0,
        "cancel_asked": False,
        "rows_done": 0,
    }


def errand(job: Document, folder: str) -> Errand:
    """What the reports process is asked to do."""
    return Errand(
        place=msgspec.convert(job["place"], Place),
        name=job["name"],
        kind=job["format"],
        dataset=job["dataset"],
        folder=folder,
        requested_by=job["created_by"],
        now=job["created_at"],
        bom=job["bom"],
    )


def on_query(place: Place, freeze_id: str, spec: QuerySpec | None) -> Place:
    """The rows of a query on the freeze of a snapshot, if there is a query."""
    return place if spec is None else Report(freeze_id, spec)


def verdict(job: Document) -> Document | None:
    """What becomes of a job that was just taken up, if it is not to be done (again)."""
    if job["cancel_asked"]:
        return {"status": ExportStatus.CANCELLED.value}
    if job["attempts"] > MAX_ATTEMPTS:
        reason = "The service ended twice while it made this file. Ask for less, or look at its log."
        return {"status": ExportStatus.FAILED.value, "error": reason}
    return None


def may_see(job: Document, caller: Caller) -> None:
    """Raises NotYourExport."""
    if caller.role not in _SEE_ALL and job["created_by_id"] != caller.user_id:
        raise NotYourExport(job_id=job["_id"], owner=job["created_by"])


def may_cancel(job: Document, caller: Caller) -> None:
    """Raises NotYourExport, or ExportFinished unless it was cancelled before."""
    if caller.role not in _CANCEL_ALL and job["created_by_id"] != caller.user_id:
        raise NotYourExport(job_id=job["_id"], owner=job["created_by"])
    if job["status"] not in (*OPEN, ExportStatus.CANCELLED):
        raise ExportFinished(job_id=job["_id"], status=job["status"])


def visible(caller: Caller, created_by: str | None) -> Document:
    """The filter for what a caller may see."""
    wanted: Document = {} if caller.role in _SEE_ALL else {"created_by": caller.username}
    return wanted | ({"created_by": created_by} if created_by and not wanted else {})


def shown(job: Document, url: str | None) -> ExportJob:
    """A job as replies show it."""
    times = ("created_at", "started_at", "finished_at")
    known = {name: job.get(name) for name in ExportJob.__struct_fields__}
    named = {"job_id": job["_id"], "download_url": url, "expires_at": _seconds(job, "file_expires_at")}
    return msgspec.convert(known | {name: _seconds(job, name) for name in times} | named, ExportJob)


def _seconds(job: Document, name: str) -> float | None:
    moment: Any = job.get(name)
    return moment.timestamp() if moment else None
