"""What a device tells its counter after a restart. Pure."""

from enum import StrEnum
from typing import NamedTuple

from stockverify.client.memory import Held
from stockverify.client.records import Entry
from stockverify.vocabulary import SessionStatus

_OVER = (SessionStatus.COMPLETED, SessionStatus.CLOSED)


class RecoveryKind(StrEnum):
    """What became of the rack that a device held when it was switched off."""

    NOTHING = "nothing"
    RESUMED = "resumed"
    LOCK_LOST = "lock_lost"
    ENDED = "ended"
    UNKNOWN = "unknown"


class Recovery(NamedTuple):
    """Where the counter stands: the rack, and the last count in it."""

    kind: RecoveryKind
    message: str
    held: Held | None = None
    last: Entry | None = None


def nothing_held() -> Recovery:
    """There was nothing to go on with."""
    return Recovery(RecoveryKind.NOTHING, "This device held no rack.")


def resumed(held: Held, last: Entry | None, lock_lost: bool) -> Recovery:
    """The service still knows the session."""
    if lock_lost:
        message = f"Rack {held.rack_id} was claimed by somebody else meanwhile; what you count is unconfirmed."
        return Recovery(RecoveryKind.LOCK_LOST, message, held, last)
    paused = " It is paused; resume to go on." if held.paused else ""
    return Recovery(RecoveryKind.RESUMED, f"You are back in rack {held.rack_id}.{paused}", held, last)


def ended(held: Held, last: Entry | None, why: str) -> Recovery:
    """The service cannot give the session back."""
    kept = "Your counts are kept and sent; claim the rack again to go on."
    return Recovery(RecoveryKind.ENDED, f"Rack {held.rack_id} cannot be continued: {why} {kept}", held, last)


def unknown(held: Held, last: Entry | None, why: str) -> Recovery:
    """The service could not be asked."""
    return Recovery(RecoveryKind.UNKNOWN, f"{why} Go on counting rack {held.rack_id}.", held, last)


def is_over(status: SessionStatus) -> bool:
    """Whether a session in this state takes no more heartbeats."""
    return status in _OVER
