"""What can become of a record."""

from typing import Any, NamedTuple

from stockverify.clients import Document
from stockverify.vocabulary import ConflictType
from stockverify.wire import Conflicted, Rejected


class Ok(NamedTuple):
    """Accepted now, or accepted before."""

    client_record_id: str
    message: str


Outcome = Ok | Conflicted | Rejected


class Verdict(NamedTuple):
    """Why a record is kept aside, and the value that stands against it."""

    kind: ConflictType
    message: str
    differences: tuple[tuple[str, Any, Any], ...] = ()
    server: Document | None = None
