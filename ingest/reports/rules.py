"""Pure decisions about reports: what the worker can be asked for, and how what is stored is shown."""

from typing import cast

import msgspec

from ingest.reports.answers import Previewed
from ingest.reports.errands import Place, Report
from stockverify.clients import Document
from stockverify.errors import BadInput, NotFound
from stockverify.vocabulary import RunKind, RunStatus
from stockverify.wire.reports import (
    PreviewReply,
    QuerySpec,
    Row,
)

BY_HAND = (RunKind.MATERIALISE, RunKind.RETENTION)
"""What needs no schedule; all else is asked of the schedule that says how."""


class RunUnknown(NotFound):
    """Run {run_id} is not known. GET /api/reports/runs lists the latest."""


class RunKindUnknown(BadInput):
    """{kind!r} is nothing that the worker can be asked for; use one of: {known}."""


def parse_kind(text: str) -> RunKind:
    """What is asked of the worker. Raises RunKindUnknown."""
    if text not in BY_HAND:
        raise RunKindUnknown(kind=text[:40], known=", ".join(BY_HAND))
    return RunKind(text)


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


def wanted_runs(schedule_id: str | None, kind: str | None, status: RunStatus | None) -> Document:
    """What a list of runs is asked for."""
    asked = {"schedule_id": schedule_id, "kind": kind, "status": status}
    return {name: value for name, value in asked.items() if value is not None}
