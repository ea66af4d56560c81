"""Queries that people keep, live previews, and reports that are kept of a query."""

import msgspec

from dashboard.desk import Desk, part
from stockverify.wire.queries import QueryDeleted, SavedQuery, SaveQuery
from stockverify.wire.reports import (
    CreateSnapshot,
    PreviewReply,
    PreviewSpec,
    QuerySpec,
    Snapshot,
    SnapshotPinned,
)

MOST_SAVED = 1000
PATIENCE = 700
"""Seconds for a report, which takes a snapshot first; the service gives up sooner, and says why."""
_QUERIES, _SNAPSHOTS = "/api/reports/queries", "/api/reports/snapshots"


def saved(desk: Desk) -> list[SavedQuery]:
    """Saved queries of all people, newest first."""
    return desk.get(_QUERIES, list[SavedQuery], limit=MOST_SAVED)


def save(desk: Desk, wanted: SaveQuery) -> SavedQuery:
    """Keep one. Raises Forbidden for those who only read."""
    return desk.post(_QUERIES, SavedQuery, msgspec.to_builtins(wanted))


def delete(desk: Desk, query_id: str) -> QueryDeleted:
    """Forget one. Raises Forbidden when somebody else saved it."""
    return desk.api.call("DELETE", f"{_QUERIES}/{part(query_id)}", QueryDeleted, desk.token)


def preview(desk: Desk, spec: QuerySpec) -> PreviewReply:
    """Rows of live data."""
    asked = msgspec.convert(msgspec.to_builtins(spec), PreviewSpec)
    return desk.post("/api/reports/query/preview", PreviewReply, msgspec.to_builtins(asked))


def keep(desk: Desk, wanted: CreateSnapshot) -> Snapshot:
    """Take a snapshot now, and keep the rows of a query on it as a report."""
    body = msgspec.to_builtins(wanted)
    return desk.api.call("POST", f"{_SNAPSHOTS}/", Snapshot, desk.token, json=body, timeout=PATIENCE)


def pin(desk: Desk, snapshot_id: str) -> SnapshotPinned:
    """Keep a report whatever retention says."""
    return desk.post(f"{_SNAPSHOTS}/{part(snapshot_id)}/pin", SnapshotPinned)
