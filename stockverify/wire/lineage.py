"""Where a snapshot comes from, and what depends on it."""

from stockverify.wire.common import Reply


class SnapshotUse(Reply, frozen=True, kw_only=True):
    """Something that refers to a snapshot: `kind` is report, refreshed, comparison or schedule."""

    kind: str
    id: str
    name: str
    created_by: str
    created_at: float


class SnapshotLineage(Reply, frozen=True, kw_only=True):
    """What a snapshot was made of and what refers to it, newest first and at most 100 of each kind. `freeze_id` is the
    snapshot of type `stock` that its rows come from, which may be gone when the rows are kept. `kept_from_deletion`
    says why it cannot be deleted, whoever asks; null when it can."""

    snapshot_id: str
    freeze_id: str
    refreshed_from: str | None
    pinned_by: str | None
    pinned_at: float | None
    uses: list[SnapshotUse]
    kept_from_deletion: str | None
