"""What can become of a record."""

from typing import Any, NamedTuple

from stockverify.clients import Document
from stockverify.vocabulary import ConflictType
from stockverify.wire.sync import Conflicted, Rejected


class Ok(NamedTuple):
    """Accepted now, or accepted before."""

    client_record_id: str
    message: str


Outcome = Ok | Conflicted | Rejected


def kind(outcome: Outcome) -> str:
    """`ok`, or the type of the conflict or the error."""
    match outcome:
        case Ok():
            return "ok"
        case Conflicted(conflict_type=kept_aside):
            return kept_aside.value
        case Rejected(error_type=unreadable):
            return unreadable.value


class Verdict(NamedTuple):
    """Why a record is kept aside, and the value that stands against it."""

    kind: ConflictType
    message: str
    differences: tuple[tuple[str, Any, Any], ...] = ()
    server: Document | None = None
