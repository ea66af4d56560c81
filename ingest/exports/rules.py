"""Pure decisions about export jobs: what one is made of, who may see and cancel it, what becomes of it, its link."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from ingest.auth.rules import Caller
from ingest.reports.errands import AnyExportJob, CompareBoth, ExportComparedJob, Place, Report
from ingest.reports.errands import ExportJob as Errand
from ingest.scopes.rules import check_made, made_within
from stockverify.clients import Document, as_stored
from stockverify.datasets import find
from stockverify.errors import BadInput, Forbidden, Gone, NotFound, Refused, TooMany
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


class SourceUnclear(BadInput):
    """Say what to export by just one of snapshot_id, comparison_job_id and compare."""


class ComparisonIsWhole(BadInput):
    """A comparison is exported whole; leave out {name}, which chooses among the rows of a snapshot."""


class ExportUnknown(NotFound):
    """Export {job_id} is not known. GET /api/reports/exports lists all that you may see."""


class NotYourExport(Forbidden):
    """Export {job_id} was asked for by {owner}; they, a supervisor or an admin may do this."""


class ExportUnfinished(NotFound):
    """Export {job_id} has no file, because it is {status}."""


class ManifestGone(Gone):
    """The file of export {job_id} is deleted, and its manifest with it. Export it again."""


class ExportFinished(Refused):
    """Export {job_id} is {status} already, so it cannot be cancelled."""


class TooManyExports(TooMany):
    """You have {most} exports waiting or running; let some finish, or cancel them."""


def checked(request: CreateExport) -> None:
    """Raises FormatUnknown, DatasetUnknown, SourceUnclear or ComparisonIsWhole."""
    if request.format.lower() not in MEDIA_TYPES:
        raise FormatUnknown(name=request.format[:40], known=", ".join(MEDIA_TYPES))
    if request.dataset is not None and find(request.dataset) is None:
        raise DatasetUnknown(name=request.dataset[:80])
    sources = (request.snapshot_id, request.comparison_job_id, request.compare)
    if sum(source is not None for source in sources) != 1:
        raise SourceUnclear()
    chosen = {"dataset": request.dataset, "query_spec": request.query_spec}
    names = [name for name, value in chosen.items() if value is not None]
    if names and request.snapshot_id is None:
        raise ComparisonIsWhole(name=" and ".join(names))


def of_place(request: CreateExport, place: Place, name: str | None, caller: Caller, now: datetime) -> Errand:
    """The rows of a snapshot, or of a query on it. The place is pinned, so that `latest` stays what it was when it was
    asked for."""
    return Errand(
        place=place,
        dataset=request.dataset,
        name=name,
        kind=request.format.lower(),
        folder="",
        requested_by=caller.username,
        now=now,
        bom=request.options.bom,
    )


def of_comparison(
    request: CreateExport, compared: CompareBoth, comparison_id: str, name: str, caller: Caller, now: datetime
) -> ExportComparedJob:
    """All that differs in a comparison; without an id it is yet to be made."""
    return ExportComparedJob(
        compared=compared,
        comparison_id=comparison_id,
        name=name,
        kind=request.format.lower(),
        folder="",
        requested_by=caller.username,
        now=now,
        bom=request.options.bom,
    )


def queued(
    job_id: str, request: CreateExport, asked: AnyExportJob, snapshot_id: str, caller: Caller, now: datetime, ttl: int
) -> Document:
    """A job that waits. The errand is JSON text, which holds any number that a query may have."""
    return {
        "_id": job_id,
        "status": ExportStatus.QUEUED.value,
        "format": asked.kind,
        "snapshot_id": snapshot_id,
        "comparison_job_id": request.comparison_job_id,
        "dataset": request.dataset,
        "errand": msgspec.json.encode(asked).decode(),
        "created_by": caller.username,
        "created_by_id": caller.user_id,
        "created_at": as_stored(now),
        "forgotten_at": as_stored(now + timedelta(seconds=ttl) + REMEMBERED),
        "attempts": 0,
        "cancel_asked": False,
        "rows_done": 0,
    }


def errand(job: Document, folder: str) -> AnyExportJob:
    """What the reports process is asked to do."""
    asked: AnyExportJob = msgspec.json.decode(job["errand"], type=AnyExportJob)
    return msgspec.structs.replace(asked, folder=folder)


def on_query(place: Place, freeze_id: str, spec: QuerySpec | None) -> Place:
    """The rows of a query on the freeze of a snapshot, if there is a query."""
    return place if spec is None else Report(freeze_id, spec)


def snapshot_of(place: Place) -> str:
    """The id of the snapshot that a place is."""
    return place.report_id or place.freeze_id if isinstance(place, Report) else place


def verdict(job: Document) -> Document | None:
    """What becomes of a job that was just taken up, if it is not to be done (again)."""
    if job["cancel_asked"]:
        return {"status": ExportStatus.CANCELLED.value}
    if job["attempts"] > MAX_ATTEMPTS:
        reason = "The service ended twice while it made this file. Ask for less, or look at its log."
        return {"status": ExportStatus.FAILED.value, "error": reason}
    return None


def may_see(job: Document, caller: Caller) -> None:
    """Raises NotYourExport or OutOfReach."""
    check_made(job, caller)
    if caller.role not in _SEE_ALL and job["created_by_id"] != caller.user_id:
        raise NotYourExport(job_id=job["_id"], owner=job["created_by"])


def may_cancel(job: Document, caller: Caller) -> None:
    """Raises NotYourExport, OutOfReach, or ExportFinished unless it was cancelled before."""
    check_made(job, caller)
    if caller.role not in _CANCEL_ALL and job["created_by_id"] != caller.user_id:
        raise NotYourExport(job_id=job["_id"], owner=job["created_by"])
    if job["status"] not in (*OPEN, ExportStatus.CANCELLED):
        raise ExportFinished(job_id=job["_id"], status=job["status"])


def visible(caller: Caller, created_by: str | None) -> Document:
    """The filter for what a caller may see."""
    wanted: Document = {} if caller.role in _SEE_ALL else {"created_by": caller.username}
    return made_within(caller) | wanted | ({"created_by": created_by} if created_by and not wanted else {})


def shown(job: Document, url: str | None) -> ExportJob:
    """A job as replies show it."""
    times = ("created_at", "started_at", "finished_at")
    known = {name: job.get(name) for name in ExportJob.__struct_fields__}
    named = {"job_id": job["_id"], "download_url": url, "expires_at": _seconds(job, "file_expires_at")}
    return msgspec.convert(known | {name: _seconds(job, name) for name in times} | named, ExportJob)


def _seconds(job: Document, name: str) -> float | None:
    moment: Any = job.get(name)
    return moment.timestamp() if moment else None
