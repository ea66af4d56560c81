"""Pure decisions about snapshots: what one is made of, how it is shown, who may delete or pin it."""

from collections.abc import Set
from datetime import datetime

import msgspec

from ingest.auth.rules import Caller
from ingest.reports.answers import Rows, Totals
from ingest.reports.errands import Page, Report
from ingest.reports.rules import as_written, spec_as_stored, spec_of
from stockverify.clients import Document, as_stored
from stockverify.errors import Forbidden, Refused, StockVerifyError
from stockverify.vocabulary import Role
from stockverify.wire.lineage import SnapshotLineage, SnapshotUse
from stockverify.wire.reports import CreateSnapshot, Pagination, Snapshot, SnapshotPage

MAX_PAGE = 10_000


class NotYourSnapshot(Forbidden):
    """Snapshot {snapshot_id} was made by {owner}; its maker or an admin may delete it."""


class FreezeNeverDeleted(Forbidden):
    """Snapshot {snapshot_id} holds all data of a moment, which reports rely on: it cannot be deleted."""


class SnapshotPinned(Refused):
    """Snapshot {snapshot_id} is pinned; unpin it first."""


def report_summary(document: Document) -> Snapshot:
    """A report in the list of snapshots."""
    shown = {
        "snapshot_id": document["_id"],
        "query_spec": spec_of(document),
        "created_at": document["created_at"].timestamp(),
    }
    return msgspec.convert(document | shown, Snapshot)


def pinned(listed: Snapshot, pins: Set[str]) -> Snapshot:
    """The same with its pin, if it has one."""
    return msgspec.structs.replace(listed, pinned=listed.snapshot_id in pins)


def report_document(
    report: Report,
    request: CreateSnapshot,
    found: Totals,
    milliseconds: float,
    caller: Caller,
    now: datetime,
    refreshed_from: str | None,
) -> Document:
    """A report as MongoDB keeps it. `stored` says that the lake has its rows, so that it can do without its freeze."""
    return {
        "_id": report.report_id,
        "name": request.name,
        "description": request.description,
        "snapshot_type": request.snapshot_type,
        "tags": request.tags,
        "query_spec": spec_as_stored(request.query_spec),
        "freeze_id": report.freeze_id,
        "refreshed_from": refreshed_from,
        "stored": True,
        "as_of": found.as_of,
        "created_by": caller.username,
        "created_at": as_stored(now),
        "summary": {"as_of": found.as_of.timestamp(), "freeze_id": report.freeze_id, "totals": found.totals},
        "row_count": found.row_count,
        "execution_time_ms": milliseconds,
    }


def again(document: Document) -> CreateSnapshot:
    """The request that asks for the same query once more."""
    return CreateSnapshot(
        name=document["name"],
        description=document["description"],
        snapshot_type=document["snapshot_type"],
        tags=document["tags"],
        query_spec=spec_of(document),
    )


def may_delete(document: Document, caller: Caller, is_pinned: bool) -> None:
    """Raises NotYourSnapshot unless the caller made it or is an admin, and SnapshotPinned while somebody needs it."""
    if caller.role is not Role.ADMIN and document["created_by"] != caller.username:
        raise NotYourSnapshot(snapshot_id=document["_id"], owner=document["created_by"])
    if is_pinned:
        raise SnapshotPinned(snapshot_id=document["_id"])


def lineage(
    snapshot_id: str, document: Document | None, pin: Document | None, uses: list[SnapshotUse]
) -> SnapshotLineage:
    """Where a snapshot comes from; without `document` it is a freeze."""
    reason: StockVerifyError | None = None
    if document is None:
        reason = FreezeNeverDeleted(snapshot_id=snapshot_id)
    elif pin is not None:
        reason = SnapshotPinned(snapshot_id=snapshot_id)
    return SnapshotLineage(
        snapshot_id=snapshot_id,
        freeze_id=document["freeze_id"] if document else snapshot_id,
        refreshed_from=document.get("refreshed_from") if document else None,
        pinned_by=pin["pinned_by"] if pin else None,
        pinned_at=pin["pinned_at"].timestamp() if pin else None,
        uses=uses,
        kept_from_deletion=reason.message if reason else None,
    )


def page_of(snapshot_id: str, document: Document | None, found: Rows, asked: Page) -> SnapshotPage:
    """What one page of a snapshot answers; without `document` it is a freeze, which tells of itself."""
    shown = found.freeze or report_summary(document or {})
    return SnapshotPage(
        snapshot_id=snapshot_id,
        name=shown.name,
        summary=shown.summary,
        row_count=shown.row_count,
        rows=as_written(found.rows),
        pagination=pagination(asked.skip, asked.limit, shown.row_count),
        as_of=found.as_of,
    )


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
