"""Snapshots of all kinds, and what may be done with them."""

from dashboard.desk import Desk, part
from stockverify.wire.lineage import SnapshotLineage
from stockverify.wire.reports import Snapshot, SnapshotDeleted, SnapshotPinned

MOST = 1000
_ROOT = "/api/reports/snapshots"
_PATIENCE = 700.0
"""A refreshed report waits for a snapshot of the data as they are now, and its query may take ten minutes."""


def listed(desk: Desk) -> list[Snapshot]:
    """Data snapshots and report snapshots, newest first."""
    return desk.get(_ROOT, list[Snapshot], limit=MOST)


def lineage(desk: Desk, snapshot_id: str) -> SnapshotLineage:
    """Where a snapshot comes from, and what refers to it."""
    return desk.get(f"{_ROOT}/{part(snapshot_id)}/lineage", SnapshotLineage)


def pin(desk: Desk, snapshot_id: str) -> SnapshotPinned:
    """Keep it, whatever retention says."""
    return desk.post(f"{_ROOT}/{part(snapshot_id)}/pin", SnapshotPinned)


def unpin(desk: Desk, snapshot_id: str) -> SnapshotPinned:
    """Leave it to retention again."""
    return desk.post(f"{_ROOT}/{part(snapshot_id)}/unpin", SnapshotPinned)


def refresh(desk: Desk, snapshot_id: str) -> Snapshot:
    """Ask its query again, of the data as they are now."""
    path = f"{_ROOT}/{part(snapshot_id)}/refresh"
    return desk.api.call("POST", path, Snapshot, desk.token, timeout=_PATIENCE)


def delete(desk: Desk, snapshot_id: str) -> SnapshotDeleted:
    """Forget a report snapshot. Raises Forbidden or Refused with the reason."""
    return desk.api.call("DELETE", f"{_ROOT}/{part(snapshot_id)}", SnapshotDeleted, desk.token)
