"""Pure decisions about reports: what the worker can be asked for, and how what is stored is shown."""

from datetime import datetime
from typing import cast

import msgspec

from ingest.reports.errands import Place, Previewed, Report
from stockverify.clients import Document, as_stored
from stockverify.errors import BadInput, NotFound
from stockverify.vocabulary import RunKind, RunStatus
from stockverify.wire.reports import (
    PreviewReply,
    QuerySpec,
    Row,
    Run,
)


class RunUnknown(NotFound):
    """Run {run_id} is not known. GET /api/reports/runs lists the latest."""


class RunKindUnknown(BadInput):
    """{kind!r} is nothing that the worker can do; use one of: {known}."""


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


def spec_as_stored(spec: QuerySpec) -> str:
    """A query as MongoDB keeps it: as JSON text, which holds any number and any name as it was written. BSON ends at 64
    bits."""
    return msgspec.json.encode(spec).decode()


def spec_of(document: Document) -> QuerySpec:
    """The stored query of a report snapshot; those of earlier versions are documents of MongoDB."""
    stored = document["query_spec"]
    return (
        msgspec.json.decode(stored, type=QuerySpec) if isinstance(stored, str) else msgspec.convert(stored, QuerySpec)
    )


def place_of(snapshot_id: str, document: Document | None) -> Place:
    """Where the rows of a snapshot come from: a stored report, or else a freeze of that id."""
    return snapshot_id if document is None else report_of(document)


def report_of(document: Document) -> Report:
    """A stored report."""
    return Report(document["freeze_id"], spec_of(document), document["_id"])


def preview_of(collection: str, found: Previewed) -> PreviewReply:
    """What preview answers."""
    return PreviewReply(
        collection=collection,
        row_count=found.row_count,
        rows=as_written(found.rows),
        pipeline=as_written(found.pipeline),
        snapshot_id=found.snapshot_id,
        as_of=found.as_of,
    )


def as_written(rows: bytes) -> list[Row]:
    """Rows that are JSON already, to be put into a reply as they are: reading and writing 10,000 of them again would
    keep the loop, and every heartbeat, waiting."""
    return cast(list[Row], msgspec.Raw(rows))
