"""Claiming racks, and what becomes of them."""

from typing import Annotated

from msgspec import Meta

from stockverify.vocabulary import (
    RackState,
)
from stockverify.wire.common import Name, Reply, Request


class Claim(Request, frozen=True, kw_only=True):
    """POST /api/racks/{rack_id}/claim"""

    floor: Name | None = None
    take_over: bool | None = None


class AvailableRack(Reply, frozen=True, kw_only=True):
    """A rack that a counter may claim."""

    rack_id: str
    floor: str
    status: RackState
    item_count: int


class Grant(Reply, frozen=True, kw_only=True):
    """A claim that was granted: the session it opened and the fence number that guards its writes."""

    rack_id: str
    session_id: str
    floor: str
    lock_ttl: int
    fence: int
    message: str
    success: bool = True


class RackChanged(Reply, frozen=True, kw_only=True):
    """What release answers."""

    rack_id: str
    message: str
    success: bool = True


class RackStateChanged(Reply, frozen=True, kw_only=True):
    """What pause, resume, force-release and reverify answer."""

    rack_id: str
    status: RackState
    message: str
    success: bool = True


class RackStatus(Reply, frozen=True, kw_only=True):
    """A rack as it stands now."""

    rack_id: str
    floor: str
    status: RackState
    claimed_by: str | None
    session_id: str | None
    lock_expires_at: float | None
    updated_at: float


class FloorRack(Reply, frozen=True, kw_only=True):
    """A rack of the store, whoever holds it; `session_id` is the latest that has claimed it in this round."""

    rack_id: str
    floor: str
    status: RackState
    round: int
    item_count: int
    claimed_by: str | None
    session_id: str | None
    updated_at: float


class Reason(Request, frozen=True, kw_only=True):
    """Why a supervisor overrides a counter."""

    reason: Annotated[str, Meta(min_length=3, max_length=1000)]


class Reverify(Request, frozen=True, kw_only=True):
    """POST /api/racks/{rack_id}/reverify; why a completed rack is to be counted again, if somebody says so."""

    reason: Annotated[str, Meta(min_length=3, max_length=1000)] | None = None
