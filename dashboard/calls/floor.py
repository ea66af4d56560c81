"""The floor as it is now: racks, who is at work, and how far they are."""

from datetime import UTC, datetime
from typing import NamedTuple

from dashboard.desk import Desk, part
from stockverify.wire.racks import FloorRack, RackStateChanged
from stockverify.wire.sessions import Presence, Session


class Picture(NamedTuple):
    """All of the floor at one moment, as one person may see it."""

    at: datetime
    racks: list[FloorRack]
    people: list[Presence]
    sessions: list[Session]


def picture(desk: Desk) -> Picture:
    """Read all of it."""
    return Picture(
        datetime.now(UTC),
        desk.get("/api/racks/", list[FloorRack]),
        desk.get("/api/sessions/presence", list[Presence]),
        desk.get("/api/sessions/active", list[Session]),
    )


def force_release(desk: Desk, rack_id: str, reason: str) -> RackStateChanged:
    """Take a rack from whoever holds it. Raises Refused when nobody does."""
    return desk.post(f"/api/racks/{part(rack_id)}/force-release", RackStateChanged, {"reason": reason})


def reverify(desk: Desk, rack_id: str, reason: str) -> RackStateChanged:
    """Open a completed rack for another round. Raises Refused when it is not completed."""
    return desk.post(f"/api/racks/{part(rack_id)}/reverify", RackStateChanged, {"reason": reason})
