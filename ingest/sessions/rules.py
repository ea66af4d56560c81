"""Pure decisions about sessions: who may see and change them, and how their figures are derived."""

from datetime import datetime
from typing import Any, NamedTuple

from ingest.auth.rules import Caller
from ingest.racks.rules import FINISHED
from ingest.scopes.rules import check_floor, on_floors
from stockverify.clients import Document
from stockverify.errors import BadInput, Forbidden, NotFound, Refused
from stockverify.vocabulary import Role, SessionStatus, SessionType
from stockverify.wire.sessions import DeviceQueue, OpenSession, Presence, Session, SessionStats

UNFINISHED = tuple(status for status in SessionStatus if status not in FINISHED)


class SessionNotFound(NotFound):
    """Session {session_id} is not known; GET /api/sessions/user/history lists yours."""


class NotYourSession(Forbidden):
    """Session {session_id} belongs to another counter."""


class SessionFinished(Refused):
    """Session {session_id} is {status}; a finished session stays so. Claim its rack again to go on."""


class UnknownSessionStatus(BadInput):
    """{status!r} is not a session status; use one of: {known}."""


class Counts(NamedTuple):
    """What the records of a session add up to: lines finalized, lines not yet counted, damaged units."""

    verified: int = 0
    partial: int = 0
    damage: float = 0.0


def new_session(session_id: str, caller: Caller, now: datetime, rack: Document | None = None) -> dict[str, Any]:
    """A session as it is stored; with a rack it carries the fence and the round of its grant."""
    return {
        "_id": session_id,
        "user_id": caller.user_id,
        "username": caller.username,
        "device_id": caller.device_id,
        "rack_id": rack["_id"] if rack else None,
        "floor": rack["floor"] if rack else None,
        "fence": rack["fence"] if rack else None,
        "round": rack["round"] if rack else 1,
        "item_count": rack.get("item_count", 0) if rack else 0,
        "type": SessionType.STANDARD.value,
        "status": SessionStatus.ACTIVE.value,
        "started_at": now,
        "last_heartbeat": None,
        "completed_at": None,
    }


def opened(session_id: str, caller: Caller, request: OpenSession, now: datetime) -> dict[str, Any]:
    """A session without a rack."""
    asked = {"warehouse": request.warehouse, "type": request.type.value, "floor": request.floor}
    return new_session(session_id, caller, now) | asked | {"status": SessionStatus.OPEN.value}


def visible(session: Document | None, session_id: str, caller: Caller) -> Document:
    """The session, if the caller may see it: staff see only their own. Raises SessionNotFound or NotYourSession."""
    if session is None:
        raise SessionNotFound(session_id=session_id)
    if session["user_id"] != caller.user_id:
        check_floor(session["floor"], caller)
    if caller.role is Role.STAFF and session["user_id"] != caller.user_id:
        raise NotYourSession(session_id=session_id)
    return session


def own(session: Document | None, session_id: str, caller: Caller) -> Document:
    """The session, if it is the caller's own. Raises SessionNotFound or NotYourSession."""
    if session is None:
        raise SessionNotFound(session_id=session_id)
    if session["user_id"] != caller.user_id:
        raise NotYourSession(session_id=session_id)
    return session


def parse_status(text: str) -> SessionStatus:
    """A status in any case. Raises UnknownSessionStatus."""
    try:
        return SessionStatus(text.strip().lower())
    except ValueError:
        raise UnknownSessionStatus(status=text[:40], known=", ".join(SessionStatus)) from None


def scope(caller: Caller, user_id: str | None) -> dict[str, Any]:
    """The filter that a listing must carry: staff get their own sessions whatever they ask for, people with a scope
    those on their floors."""
    if caller.role is Role.STAFF:
        return {"user_id": caller.user_id}
    # When it was started is said so that an index serves the list, whatever else it asks for.
    seen = on_floors(caller, "floor") | {"started_at": {"$exists": True}} if caller.floors else {}
    return seen | ({"user_id": user_id} if user_id else {})


def describe(session: Document, counts: Counts) -> Session:
    """A session as replies show it."""
    return Session(
        id=session["_id"],
        session_id=session["_id"],
        user_id=session["user_id"],
        rack_id=session["rack_id"],
        floor=session["floor"],
        status=SessionStatus(session["status"]),
        started_at=session["started_at"].timestamp(),
        last_heartbeat=_seconds(session["last_heartbeat"]),
        completed_at=_seconds(session["completed_at"]),
        item_count=session.get("item_count", 0),
        verified_count=counts.verified,
    )


def presence(session: Document, present: bool | None) -> Presence:
    """A session at work; `present` None when nobody can say, because Redis is away."""
    queue = session.get("queue") or {}
    return Presence(
        session_id=session["_id"],
        user_id=session["user_id"],
        username=session["username"],
        device_id=session["device_id"],
        rack_id=session["rack_id"],
        floor=session["floor"],
        status=SessionStatus(session["status"]),
        started_at=session["started_at"].timestamp(),
        last_heartbeat=_seconds(session["last_heartbeat"]),
        present=present,
        queue_length=queue.get("length"),
        queue_age_seconds=queue.get("age_seconds"),
    )


def stats(session: Document, counts: Counts, now: datetime) -> SessionStats:
    """Progress: pending = max(total - verified, 0); pace = verified lines per minute since the start."""
    total = max(session.get("item_count", 0), counts.verified + counts.partial)
    seconds = ((session["completed_at"] or now) - session["started_at"]).total_seconds()
    return SessionStats(
        id=session["_id"],
        session_id=session["_id"],
        total_items=total,
        verified_items=counts.verified,
        damage_items=counts.damage,
        pending_items=total - counts.verified,
        duration_seconds=round(seconds, 3),
        items_per_minute=round(counts.verified * 60 / seconds, 2) if seconds > 0 else 0.0,
    )


def heartbeat_message(session: Document, renewed: bool) -> str:
    """What the counter should know about the lock."""
    if session["rack_id"] is None:
        return "This session has no rack to hold."
    if session["status"] == SessionStatus.COMPLETED:
        return "This session is completed; its rack is no longer held."
    if renewed:
        return "The rack is yours."
    return (
        "The rack is not yours any more: it was released, or somebody else has claimed it since."
        " Go on counting: what you send is kept, and a supervisor settles what disagrees."
    )


def heard_from(now: datetime, queue: DeviceQueue | None) -> dict[str, Any]:
    """What a heartbeat changes in its session; a device that says nothing of its queue leaves what it said before."""
    if queue is None:
        return {"last_heartbeat": now}
    told = {"length": queue.length, "age_seconds": queue.age_seconds, "at": now}
    return {"last_heartbeat": now, "queue": told}


def _seconds(instant: datetime | None) -> float | None:
    return None if instant is None else instant.timestamp()
