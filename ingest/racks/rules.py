"""Pure decisions about racks: who may claim, what a change of state needs."""

from datetime import datetime
from typing import Any, NamedTuple

from ingest.auth.rules import Caller
from stockverify.clients import Document
from stockverify.errors import BadInput, Forbidden, NotFound, Refused
from stockverify.vocabulary import FINISHED_SESSIONS, HELD_RACKS, OCCUPIED_RACKS, RackState
from stockverify.wire.racks import AvailableRack, FloorRack, RackStatus

HELD, OCCUPIED, FINISHED = HELD_RACKS, OCCUPIED_RACKS, FINISHED_SESSIONS
CLAIMABLE = (RackState.AVAILABLE, RackState.PAUSED, RackState.REVERIFY_REQUESTED, *HELD)


class RackNotFound(NotFound):
    """Rack {rack_id} is not known. GET /api/racks/available lists the racks; claiming a new one creates it."""


class RackHeld(Refused):
    """Rack {rack_id} is held by another counter. Choose another rack, or wait until it is released."""


class RackHeldElsewhere(Refused):
    """You hold rack {rack_id} on another device. Go on there, or claim it with take_over: true to move it here."""


class RackCompleted(Refused):
    """Rack {rack_id} is completed. A supervisor can ask for a re-verification, which opens it again."""


class NotYourRack(Forbidden):
    """Rack {rack_id} is not held by you, so you cannot {action} it."""


class NotPaused(BadInput):
    """Rack {rack_id} is {status}, not paused, so there is nothing to resume."""


class RackNotHeld(Refused):
    """Rack {rack_id} is {status}, so there is no holder to take it from; a completed rack is opened by reverify."""


class RackMoved(Refused):
    """Rack {rack_id} changed at this very moment; ask for its status and try again."""


class RackUnsettled(Refused):
    """Rack {rack_id} is {status}; only a completed rack can be verified again."""


class BadRackId(BadInput):
    """The rack id {rack_id!r} is not usable: 1 to 128 printable characters, please."""


class Continue(NamedTuple):
    """The same session goes on: the claim was asked for again."""

    session_id: str


class TakeOver(NamedTuple):
    """The grant moves to another device of the same person, in a new session."""

    old_session_id: str


class Fresh(NamedTuple):
    """A new session, on a rack that nobody holds."""


def checked_id(rack_id: str) -> str:
    """A rack id from a path. Raises BadRackId."""
    usable = (
        1 <= len(rack_id) <= 128
        and rack_id.isprintable()
        and rack_id.strip()
        and "\N{REPLACEMENT CHARACTER}" not in rack_id
    )
    if not usable:
        raise BadRackId(rack_id=rack_id[:40])
    return rack_id


def decide_claim(
    rack: Document, current: Document | None, holder: str | None, caller: Caller, take_over: bool
) -> Continue | TakeOver | Fresh:
    """Whether the caller gets the rack.

    `current` is the session that the rack names, `holder` the one that its lease names (None: nobody is heard from).
    Raises RackCompleted, RackHeld or RackHeldElsewhere.
    """
    rack_id = rack["_id"]
    if rack["status"] == RackState.COMPLETED:
        raise RackCompleted(rack_id=rack_id)
    if current is not None and current["status"] in FINISHED:
        if holder not in (None, current["_id"]):
            raise RackHeld(rack_id=rack_id)
        return TakeOver(current["_id"]) if holder else Fresh()
    mine = current is not None and current["user_id"] == caller.user_id and rack["status"] in OCCUPIED
    if current is not None and mine and current["fence"] == rack["fence"]:
        if holder not in (None, current["_id"]):
            raise RackHeld(rack_id=rack_id)
        if current["device_id"] == caller.device_id:
            return Continue(current["_id"])
        if holder is None or take_over:
            return TakeOver(current["_id"])
        raise RackHeldElsewhere(rack_id=rack_id)
    if holder is not None:
        raise RackHeld(rack_id=rack_id)
    return Fresh()


def require_holder(rack: Document | None, rack_id: str, caller: Caller, action: str) -> Document:
    """The rack, if it is the caller's. Raises RackNotFound or NotYourRack."""
    if rack is None:
        raise RackNotFound(rack_id=rack_id)
    if rack["claimed_by"] != caller.user_id or rack["status"] not in OCCUPIED:
        raise NotYourRack(rack_id=rack_id, action=action)
    return rack


def as_seen(rack: Document) -> dict[str, Any]:
    """The filter that finds a rack only while it is as it was read."""
    seen = {name: rack[name] for name in ("_id", "fence", "session_id")}
    if rack["status"] not in HELD:
        return seen | {"status": rack["status"]}
    # a claimed rack becomes active with its first record, which is no change that matters here
    return seen | {"status": {"$in": [state.value for state in HELD]}}


def claimable_without_leases(rack: Document) -> bool:
    """While Redis is away nobody knows who holds a rack; only those that MongoDB calls free are offered."""
    return rack["status"] not in HELD


def new_rack(rack_id: str, floor: str, now: datetime) -> dict[str, Any]:
    """A rack that nobody has claimed yet."""
    return {
        "_id": rack_id,
        "floor": floor,
        "status": RackState.AVAILABLE.value,
        "fence": 0,
        "round": 1,
        "item_count": 0,
        "claimed_by": None,
        "session_id": None,
        "updated_at": now,
    }


def as_available(rack: Document) -> AvailableRack:
    """A rack in the list of those that may be claimed; one whose holder fell silent counts as available."""
    status = RackState(rack["status"])
    shown = RackState.AVAILABLE if status in HELD else status
    return AvailableRack(rack_id=rack["_id"], floor=rack["floor"], status=shown, item_count=rack.get("item_count", 0))


def on_floor(rack: Document) -> FloorRack:
    """A rack in the list of all."""
    return FloorRack(
        rack_id=rack["_id"],
        floor=rack["floor"],
        status=RackState(rack["status"]),
        round=rack.get("round", 1),
        item_count=rack.get("item_count", 0),
        claimed_by=rack.get("claimed_by"),
        session_id=rack.get("session_id"),
        updated_at=rack["updated_at"].timestamp(),
    )


def as_status(rack: Document, lease_seconds: float | None, now: datetime) -> RackStatus:
    """A rack as it stands now."""
    return RackStatus(
        rack_id=rack["_id"],
        floor=rack["floor"],
        status=RackState(rack["status"]),
        claimed_by=rack.get("claimed_by"),
        session_id=rack.get("session_id"),
        lock_expires_at=None if lease_seconds is None else now.timestamp() + lease_seconds,
        updated_at=rack["updated_at"].timestamp(),
    )
