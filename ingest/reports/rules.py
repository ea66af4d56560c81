"""Pure decisions about reports: what a snapshot is made of, how it is shown, who may delete it."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from analytics.lake import Freeze
from analytics.query import Query
from ingest.auth.rules import Caller
from stockverify.clients import Document, as_stored
from stockverify.datasets import POSITIONS
from stockverify.errors import BadInput, Forbidden, NotFound
from stockverify.vocabulary import Role, RunKind, RunStatus
from stockverify.wire import CreateSnapshot, QuerySpec, Run

STOCK = "stock"
WORKER = "worker"
MAX_PAGE = 10_000


class SnapshotUnknown(NotFound):
    """Snapshot {snapshot_id} is not known. GET /api/reports/snapshots lists all."""


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


class Source(NamedTuple):
    """What a snapshot id stands for: a freeze and the query on it. `document` is None for the freeze itself."""

    freeze_id: str
    spec: QuerySpec
    document: Document | None


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


def stock_spec() -> QuerySpec:
    """The query that a freeze stands for: all positions."""
    return QuerySpec(collection=POSITIONS.name)


def spec_of(document: Document) -> QuerySpec:
    """The stored query of a report snapshot."""
    return msgspec.convert(document["query_spec"], QuerySpec)


def freeze_summary(freeze: Freeze) -> dict[str, Any]:
    """A freeze in the list of snapshots."""
    return {
        "snapshot_id": freeze.snapshot_id,
        "name": freeze.name or f"Stock as of {freeze.as_of:%Y-%m-%d %H:%M} UTC",
        "description": "All records, sessions, items and positions of one moment",
        "snapshot_type": STOCK,
        "query_spec": msgspec.to_builtins(stock_spec()),
        "summary": {"as_of": freeze.as_of.timestamp(), "freeze_id": freeze.snapshot_id},
        "row_count": freeze.rows,
        "execution_time_ms": 0.0,
        "created_by": WORKER,
        "created_at": freeze.created_at.timestamp(),
        "tags": [],
    }


def report_summary(document: Document) -> dict[str, Any]:
    """A report snapshot in the list of snapshots."""
    shown = {key: value for key, value in document.items() if key not in ("_id", "freeze_id", "as_of")}
    return shown | {"snapshot_id": document["_id"], "created_at": document["created_at"].timestamp()}


def report_document(
    snapshot_id: str, request: CreateSnapshot, freeze: Freeze, facts: dict[str, Any], caller: Caller, now: datetime
) -> Document:
    """A report snapshot as it is stored: its query and the freeze that it runs on, never a copy of rows."""
    return {
        "_id": snapshot_id,
        "name": request.name,
        "description": request.description,
        "snapshot_type": request.snapshot_type,
        "tags": request.tags,
        "query_spec": msgspec.to_builtins(request.query_spec),
        "freeze_id": freeze.snapshot_id,
        "as_of": freeze.as_of,
        "created_by": caller.username,
        "created_at": as_stored(now),
        **facts,
    }


def may_delete(document: Document, caller: Caller) -> None:
    """Raises NotYourSnapshot unless the caller made it or is an admin."""
    if caller.role is not Role.ADMIN and document["created_by"] != caller.username:
        raise NotYourSnapshot(snapshot_id=document["_id"], owner=document["created_by"])


def page_of(query: Query, skip: int, limit: int) -> Query:
    """The same query, for one page of its rows."""
    left = None if query.limit is None else max(query.limit - skip, 0)
    return msgspec.structs.replace(query, skip=query.skip + skip, limit=limit if left is None else min(limit, left))


def pagination(skip: int, limit: int, total: int) -> dict[str, Any]:
    """Where a page stands among all rows."""
    return {"skip": skip, "limit": limit, "total": total, "has_more": skip + limit < total}


def keep(listed: dict[str, Any], created_by: str | None, kind: str | None, tags: str | None) -> bool:
    """Whether a listed snapshot passes the filters; of several tags any one is enough."""
    wanted = {tag.strip() for tag in (tags or "").split(",") if tag.strip()}
    return (
        (not created_by or listed["created_by"] == created_by)
        and (not kind or listed["snapshot_type"] == kind)
        and (not wanted or bool(wanted & set(listed["tags"])))
    )
