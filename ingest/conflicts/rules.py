"""Pure decisions about conflicts: who sees them, what a list asks for, and whether one is still to be settled."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from ingest.auth.rules import Caller
from ingest.scopes.rules import check_floor
from stockverify.clients import Document
from stockverify.errors import BadInput, Forbidden, NotFound, Refused
from stockverify.vocabulary import ConflictStatus, ConflictType, Resolution, Role
from stockverify.wire.conflicts import ResolveConflict

# A bound that every conflict meets, so that an index serves every list and every count.
_EVER = {"$gt": datetime(1970, 1, 1, tzinfo=UTC)}
_OUTCOME = ("resolution", "resolution_note", "resolved_by", "resolved_at")


class ConflictNotFound(NotFound):
    """Conflict {conflict_id} is not known; GET /api/sync/conflicts lists them."""


class NotYourConflict(Forbidden):
    """Conflict {conflict_id} belongs to another counter."""


class ConflictSettled(Refused):
    """Conflict {conflict_id} was settled before, as {resolution} by {resolved_by} at
    {resolved_at:%Y-%m-%d %H:%M:%S} UTC, and stays so; nothing was changed."""


class UnknownFilter(BadInput):
    """{name!r} is no filter; conflicts are filtered by plain values of status, session_id, user, entity_type and
    conflict_type."""


class UnknownConflictType(BadInput):
    """There is no conflict type {name!r}; use one or more of: {known}."""


class MergeInBatch(BadInput):
    """merge needs the merged_data of each conflict: settle these one by one, or all of them with another resolution."""


def kinds_asked(text: str | None) -> list[ConflictType]:
    """The types in `a,b`; none stands for all. Raises UnknownConflictType."""
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    for name in names:
        if name not in list(ConflictType):
            raise UnknownConflictType(name=name[:80], known=", ".join(ConflictType))
    return [ConflictType(name) for name in dict.fromkeys(names)]


def wanted(caller: Caller, kinds: Sequence[ConflictType] = (), **filters: str | None) -> Document:
    """The query of a list. Values are compared as text, whatever stands in them."""
    asked: Document = {name: {"$eq": value} for name, value in filters.items() if value is not None}
    if kinds:
        asked["conflict_type"] = {"$in": [kind.value for kind in kinds]}
    return asked | scope(caller) | {"created_at": _EVER}


def scope(caller: Caller) -> Document:
    """Staff see their own conflicts, people with a scope those of which both sides are on their floors, everybody else
    sees all."""
    if caller.floors:
        other_side = {"server_data.floor": {"$in": [*caller.floors, None]}}
        return {"local_data.floor": {"$in": list(caller.floors)}} | other_side
    return {"user_id": caller.user_id} if caller.role is Role.STAFF else {}


def refuse_operators(parameters: Iterable[str]) -> None:
    """`user[$ne]=x` is no filter of ours; ignoring it would list what was not asked for. Raises UnknownFilter."""
    for name in parameters:
        if "[" in name or "$" in name:
            raise UnknownFilter(name=name[:100])


def visible(conflict: Document | None, conflict_id: str, caller: Caller) -> Document:
    """The conflict, if there is one and the caller may see it. Raises ConflictNotFound or NotYourConflict."""
    if conflict is None:
        raise ConflictNotFound(conflict_id=conflict_id)
    if caller.role is Role.STAFF and conflict["user_id"] != caller.user_id:
        raise NotYourConflict(conflict_id=conflict_id)
    check_floor(conflict["local_data"].get("floor"), caller)
    if (other := (conflict["server_data"] or {}).get("floor")) is not None:
        check_floor(other, caller)
    return conflict


def is_pending(conflict: Document) -> bool:
    """Whether a conflict is still to be settled."""
    return bool(conflict["status"] == ConflictStatus.PENDING)


def same_outcome(conflict: Document, resolution: Resolution, merged: Document | None) -> Document:
    """A conflict that was settled, if it was settled like this. Raises ConflictSettled otherwise."""
    if conflict["resolution"] == resolution and conflict.get("merged_data") == merged:
        return conflict
    outcome: dict[str, Any] = {name: conflict[name] for name in _OUTCOME}
    members = {"conflict": {"id": conflict["_id"], "status": conflict["status"], **outcome}}
    raise ConflictSettled(conflict_id=conflict["_id"], members=members, **outcome)


def outcome(request: ResolveConflict, merged: Document | None, caller: Caller, now: datetime) -> Document:
    """What changes in a conflict that is settled."""
    return {
        "status": ConflictStatus.RESOLVED.value,
        "resolution": request.resolution.value,
        "resolution_note": request.resolution_note,
        "merged_data": merged,
        "resolved_by": caller.username,
        "resolved_at": now,
    }
