"""Conflicts, and settling them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from dashboard.desk import Desk, part
from stockverify.vocabulary import ConflictStatus, ConflictType, Resolution
from stockverify.wire.conflicts import (
    MAX_CONFLICTS,
    BatchResolved,
    BatchResolvedReply,
    Conflict,
    ConflictInFull,
    ConflictInFullReply,
    ConflictReply,
    Conflicts,
    ConflictsReply,
    ConflictStats,
    ConflictStatsReply,
)

_PATH = "/api/sync/conflicts"


class Asked(NamedTuple):
    """What the list shall hold; what is empty does not filter."""

    status: ConflictStatus | None = ConflictStatus.PENDING
    user: str = ""
    session_id: str = ""
    kinds: Sequence[ConflictType] = ()


def listed(desk: Desk, asked: Asked) -> Conflicts:
    """The newest conflicts, and how many there are in all."""
    filters = {"user": asked.user, "session_id": asked.session_id, "conflict_type": ",".join(asked.kinds)}
    status = asked.status.value if asked.status else None
    return desk.get(f"{_PATH}/", ConflictsReply, limit=MAX_CONFLICTS, status=status, **filters).data


def stats(desk: Desk) -> ConflictStats:
    """How many wait, how many are settled, and of which types they are."""
    return desk.get(f"{_PATH}/stats", ConflictStatsReply).data


def one(desk: Desk, conflict_id: str) -> ConflictInFull:
    """One conflict with earlier versions of its record. Raises NotFound."""
    return desk.get(f"{_PATH}/{part(conflict_id)}", ConflictInFullReply).data


def resolve(
    desk: Desk, conflict_id: str, resolution: Resolution, note: str, merged: dict[str, Any] | None = None
) -> Conflict:
    """Settle one. Raises Refused when somebody else has settled it otherwise."""
    body = {"resolution": resolution.value, "resolution_note": note or None, "merged_data": merged}
    return desk.post(f"{_PATH}/{part(conflict_id)}/resolve", ConflictReply, body).data


def resolve_all(desk: Desk, conflict_ids: Sequence[str], resolution: Resolution, note: str) -> BatchResolved:
    """Settle many alike; what stands against one costs only that one."""
    body = {"conflict_ids": list(conflict_ids), "resolution": resolution.value, "resolution_note": note or None}
    return desk.post(f"{_PATH}/batch-resolve", BatchResolvedReply, body).data
