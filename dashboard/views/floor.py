"""The floor as tables: racks by state, who holds what since when, and devices that have fallen silent."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from stockverify.vocabulary import RackState
from stockverify.wire.racks import FloorRack
from stockverify.wire.sessions import Presence, Session

STATES = {
    RackState.AVAILABLE: "Available",
    RackState.CLAIMED: "Claimed",
    RackState.ACTIVE: "Being counted",
    RackState.PAUSED: "Paused",
    RackState.REVERIFY_REQUESTED: "To be recounted",
    RackState.COMPLETED: "Completed",
}
HELD = (RackState.CLAIMED, RackState.ACTIVE, RackState.PAUSED)
HERE, SILENT, UNKNOWN = "● here", "○ silent", "? unknown"

_INSTANT = pl.Datetime("ms", "UTC")
_HELD: dict[str, Any] = {
    "rack": pl.String,
    "holder": pl.String,
    "heard": pl.String,
    "state": pl.String,
    "since": _INSTANT,
    "last_heartbeat": _INSTANT,
    "verified": pl.Int64,
    "items": pl.Int64,
    "pace": pl.Float64,
    "queue": pl.Int64,
    "floor": pl.String,
    "round": pl.Int64,
    "device": pl.String,
}
_SILENT: dict[str, Any] = {
    "holder": pl.String,
    "device": pl.String,
    "rack": pl.String,
    "last_heartbeat": _INSTANT,
    "silent_minutes": pl.Float64,
    "queue": pl.Int64,
    "queue_minutes": pl.Float64,
}


def by_state(racks: Iterable[FloorRack]) -> dict[str, int]:
    """How many racks are in each state, in the order of a rack's life; none is left out."""
    found = Counter(rack.status for rack in racks)
    return {name: found[state] for state, name in STATES.items()}


def by_floor(racks: Sequence[FloorRack]) -> pl.DataFrame:
    """A row for each floor, a column for each state."""
    floors = sorted({rack.floor for rack in racks})
    rows = [
        {"floor": floor or "No floor"} | by_state(rack for rack in racks if rack.floor == floor) for floor in floors
    ]
    return pl.DataFrame(rows, schema={"floor": pl.String} | dict.fromkeys(STATES.values(), pl.Int64))


def held(
    racks: Iterable[FloorRack], people: Iterable[Presence], sessions: Iterable[Session], now: datetime
) -> pl.DataFrame:
    """Who holds which rack, longest first. The pace is verified items per minute since the claim, breaks included."""
    by_session = {each.session_id: each for each in people}
    work = {each.session_id: each for each in sessions}
    rows = []
    for rack in racks:
        if rack.status in HELD:
            person, session = by_session.get(rack.session_id or ""), work.get(rack.session_id or "")
            rows.append(_of_rack(rack) | _of_person(person) | _of_work(session, now))
    return pl.DataFrame(rows, schema=_HELD).sort("since", "rack", nulls_last=True)


def silent(people: Iterable[Presence], now: datetime) -> pl.DataFrame:
    """Devices of unfinished work that are not heard from, the longest silence first."""
    rows = [
        {
            "holder": each.username,
            "device": each.device_id,
            "rack": each.rack_id,
            "last_heartbeat": _instant(each.last_heartbeat),
            "silent_minutes": max(0.0, now.timestamp() - (each.last_heartbeat or each.started_at)) / 60,
            "queue": each.queue_length,
            "queue_minutes": None if each.queue_age_seconds is None else each.queue_age_seconds / 60,
        }
        for each in people
        if each.present is False
    ]
    return pl.DataFrame(rows, schema=_SILENT).sort("silent_minutes", "holder", descending=[True, False])


def nobody_can_say(people: Iterable[Presence]) -> bool:
    """Whether presence is unknown, because the service cannot reach what remembers it."""
    return any(each.present is None for each in people)


def names(racks: Iterable[FloorRack], states: Sequence[RackState]) -> dict[str, str]:
    """Racks in these states, in words, by their ids."""
    return {
        rack.rack_id: f"{rack.rack_id} · {rack.floor or 'No floor'} · {STATES[rack.status].lower()}"
        for rack in racks
        if rack.status in states
    }


def _of_rack(rack: FloorRack) -> dict[str, Any]:
    return {
        "rack": rack.rack_id,
        "floor": rack.floor,
        "state": STATES[rack.status],
        "round": rack.round,
        "items": rack.item_count,
    }


def _of_person(person: Presence | None) -> dict[str, Any]:
    if person is None:
        return {"holder": None, "heard": UNKNOWN, "since": None, "last_heartbeat": None, "queue": None, "device": None}
    return {
        "holder": person.username,
        "heard": UNKNOWN if person.present is None else HERE if person.present else SILENT,
        "since": _instant(person.started_at),
        "last_heartbeat": _instant(person.last_heartbeat),
        "queue": person.queue_length,
        "device": person.device_id,
    }


def _of_work(session: Session | None, now: datetime) -> dict[str, Any]:
    if session is None:
        return {"verified": None, "pace": None}
    seconds = now.timestamp() - session.started_at
    pace = round(session.verified_count * 60 / seconds, 2) if seconds > 0 else 0.0
    return {"verified": session.verified_count, "pace": pace}


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
