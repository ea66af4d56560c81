"""The shapes of conflicts. What a device sent has the fields of its record; times are ISO 8601, as in records."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from stockverify.vocabulary import ConflictStatus, ConflictType, Resolution
from stockverify.wire.common import Id, Reply, Request, Text

MAX_CONFLICTS = 500

Fields = dict[str, Any]


class ResolveConflict(Request, frozen=True, kw_only=True):
    """POST /api/sync/conflicts/{id}/resolve; merge overlays what the device sent with `merged_data`."""

    resolution: Resolution
    merged_data: Fields | None = None
    resolution_note: Text | None = None


class BatchResolve(Request, frozen=True, kw_only=True):
    """POST /api/sync/conflicts/batch-resolve: each conflict by itself, in this order; not with merge."""

    conflict_ids: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MAX_CONFLICTS)]
    resolution: Resolution
    resolution_note: Text | None = None


class Difference(Reply, frozen=True, kw_only=True):
    """A field in which what the device sent and what stands against it differ."""

    field: str
    local_value: Any
    server_value: Any


class Conflict(Reply, frozen=True, kw_only=True):
    """A record kept aside, whole, with what stands against it and how it was settled."""

    id: str
    entity_type: str
    entity_id: str
    conflict_type: ConflictType
    message: str
    client_record_id: str
    session_id: str
    user: str
    conflicts: list[Difference]
    local_data: Fields
    server_data: Fields | None
    status: ConflictStatus
    resolution: Resolution | None
    resolution_note: str | None
    merged_data: Fields | None
    resolved_by: str | None
    resolved_at: datetime | None
    created_at: datetime


class ConflictInFull(Conflict, frozen=True, kw_only=True):
    """A conflict with the latest earlier versions of its record, newest first."""

    history: list[Fields]


class ConflictReply(Reply, frozen=True, kw_only=True):
    """The envelope of a settled conflict."""

    data: Conflict
    success: bool = True


class ConflictInFullReply(Reply, frozen=True, kw_only=True):
    """The envelope of one conflict."""

    data: ConflictInFull
    success: bool = True


class Conflicts(Reply, frozen=True, kw_only=True):
    """Conflicts, newest first; `total` counts all that match, however many are shown."""

    conflicts: list[Conflict]
    total: int


class ConflictsReply(Reply, frozen=True, kw_only=True):
    """The envelope of a list of conflicts."""

    data: Conflicts
    success: bool = True


class Unresolved(Reply, frozen=True, kw_only=True):
    """A conflict of a batch that could not be settled, and why."""

    id: str
    error: str


class BatchResolved(Reply, frozen=True, kw_only=True):
    """What became of each conflict of a batch."""

    resolved: list[str]
    errors: list[Unresolved]


class BatchResolvedReply(Reply, frozen=True, kw_only=True):
    """The envelope of a batch of settlements."""

    data: BatchResolved
    success: bool = True


class ConflictStats(Reply, frozen=True, kw_only=True):
    """How many conflicts there are; `by_type` counts all of them, pending and resolved."""

    pending: int
    resolved: int
    by_type: dict[ConflictType, int]


class ConflictStatsReply(Reply, frozen=True, kw_only=True):
    """The envelope of the figures."""

    data: ConflictStats
    success: bool = True
