"""Pure decisions about reports: what a snapshot is made of, how it is shown, who may delete it."""

from datetime import datetime
from typing import cast

import msgspec

from ingest.auth.rules import Caller
from ingest.reports.errands import Page, Place, Previewed, Report, Rows, Totals
from stockverify.clients import Document, as_stored
from stockverify.errors import BadInput, Forbidden, NotFound
from stockverify.vocabulary import Role, RunKind, RunStatus
from stockverify.wire.reports import (
    ComparisonJob,
    CreateSnapshot,
    Pagination,
    PreviewReply,
    QuerySpec,
    Row,
    Run,
    Snapshot,
    SnapshotPage,
)

MAX_PAGE = 10_000


class RunUnknown(NotFound):
    """Run {run_id} is not known. GET /api/reports/runs lists the latest."""


class RunKindUnknown(BadInput):
    """{kind!r} is nothing that the worker can do; use one of: {known}."""


class NotYourSnapshot(Forbidden):
    """Snapshot {snapshot_id} was made by {owner}; its maker or an admin may delete it."""


class FreezeNeverDeleted(Forbidden):
    """Snapshot {snapshot_id} holds all data of a moment, which reports rely on: it cannot be deleted."""


class ComparisonUnknown(NotFound):
    """Comparison {job_id} is not known. GET /api/reports/compare lists all."""


def parse_kind(text: str) -> RunKind:
    """What is asked of the worker. Raises RunKindUnknown."""
    try:
        return RunKind(text)
    except ValueError:
        raise RunKindUnknown(kind=text[:40], known=", ".join(RunKind)) from None


def queued(run_id: str, kind: RunKind, name: str | None, requested_by: str, now: datetime) -> Document:
    """A run that waits for a worker."""
    return {
        "_id": run_id,
        "kind": kind.value,
        "status": RunStatus.QUEUED.value,
        "name": name or "",
        "requested_by": requested_by,
        "requested_at": as_stored(now),
        "started_at": None,
        "finished_at": None,
        "snapshot_id": None,
        "error": None,
    }


def as_run(document: Document) -> Run:
    """A run as replies show it."""
    finished = document["finished_at"]
    return Run(
        run_id=document["_id"],
        kind=document["kind"],
        status=document["status"],
        requested_by=document["requested_by"],
        requested_at=document["requested_at"].timestamp(),
        finished_at=finished.timestamp() if finished else None,
        snapshot_id=document["snapshot_id"],
        error=document["error"],
    )


def spec_of(document: Document) -> QuerySpec:
    """The stored query of a report snapshot."""
    return msgspec.convert(document["query_spec"], QuerySpec)


def report_summary(document: Document) -> Snapshot:
    """A report snapshot in the list of snapshots."""
    shown = {"snapshot_id": document["_id"], "created_at": document["created_at"].timestamp()}
    return msgspec.convert(document | shown, Snapshot)


def report_document(
    snapshot_id: str,
    request: CreateSnapshot,
    freeze_id: str,
    found: Totals,
    milliseconds: float,
    caller: Caller,
    now: datetime,
) -> Document:
    """A report snapshot as it is stored: its query and the freeze that it runs on, never a copy of rows."""
    return {
        "_id": snapshot_id,
        "name": request.name,
        "description": request.description,
        "snapshot_type": request.snapshot_type,
        "tags": request.tags,
        "query_spec": msgspec.to_builtins(request.query_spec),
        "freeze_id": freeze_id,
        "as_of": found.as_of,
        "created_by": caller.username,
        "created_at": as_stored(now),
        "summary": {"as_of": found.as_of.timestamp(), "freeze_id": freeze_id, "totals": found.totals},
        "row_count": found.row_count,
        "execution_time_ms": milliseconds,
    }


def may_delete(document: Document, caller: Caller) -> None:
    """Raises NotYourSnapshot unless the caller made it or is an admin."""
    if caller.role is not Role.ADMIN and document["created_by"] != caller.username:
        raise NotYourSnapshot(snapshot_id=document["_id"], owner=document["created_by"])


def place_of(snapshot_id: str, document: Document | None) -> Place:
    """Where the rows of a snapshot come from: a stored report, or else a freeze of that id."""
    return snapshot_id if document is None else Report(document["freeze_id"], spec_of(document))


def preview_of(collection: str, found: Previewed) -> PreviewReply:
    """What preview answers."""
    return PreviewReply(
        collection=collection,
        row_count=found.row_count,
        rows=_as_written(found.rows),
        pipeline=_as_written(found.pipeline),
        snapshot_id=found.snapshot_id,
        as_of=found.as_of,
    )


def page_of(snapshot_id: str, document: Document | None, found: Rows, asked: Page) -> SnapshotPage:
    """What one page of a snapshot answers; `document` is None for the freeze itself."""
    shown = report_summary(document) if document else found.freeze
    return SnapshotPage(
        snapshot_id=snapshot_id,
        name=shown.name,
        summary=shown.summary,
        row_count=shown.row_count,
        rows=_as_written(found.rows),
        pagination=pagination(asked.skip, asked.limit, shown.row_count),
        as_of=found.as_of,
    )


def _as_written(rows: bytes) -> list[Row]:
    """Rows that are JSON already, to be put into a reply as they are: reading and writing 10,000 of them again would
    keep the loop, and every heartbeat, waiting."""
    return cast(list[Row], msgspec.Raw(rows))


def pagination(skip: int, limit: int, total: int) -> Pagination:
    """Where a page stands among all rows."""
    return Pagination(skip=skip, limit=limit, total=total, has_more=skip + limit < total)


def keep(listed: Snapshot, created_by: str | None, kind: str | None, tags: str | None) -> bool:
    """Whether a listed snapshot passes the filters; of several tags any one is enough."""
    wanted = {tag.strip() for tag in (tags or "").split(",") if tag.strip()}
    return (
        (not created_by or listed.created_by == created_by)
        and (not kind or listed.snapshot_type == kind)
        and (not wanted or bool(wanted & set(listed.tags)))
    )


def as_job(document: Document) -> ComparisonJob:
    """A stored comparison as replies show it."""
    shown = {"job_id": document["_id"], "created_at": document["created_at"].timestamp()}
    return msgspec.convert(document | shown, ComparisonJob)
