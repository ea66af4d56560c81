"""The reply to a batch, read with tolerance: a service may leave fields out, add some, and forget a record."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field

from stockverify.client.records import Accepted, NotTaken, Outcome, SetAside


class _Conflicted(Struct, frozen=True):
    client_record_id: str
    conflict_type: str = "conflict"
    message: str = "Kept aside for a supervisor."
    details: dict[str, Any] = field(default_factory=dict)


class _Rejected(Struct, frozen=True):
    client_record_id: str
    message: str = "Refused without a reason."


class SyncReply(Struct, frozen=True):
    """What the client reads of the reply to POST /api/sync/batch."""

    ok: tuple[str, ...] = ()
    conflicts: tuple[_Conflicted, ...] = ()
    errors: tuple[_Rejected, ...] = ()


class Me(Struct, frozen=True):
    """What the client reads of GET /api/auth/me."""

    username: str
    full_name: str
    role: str
    permissions: tuple[str, ...] = ()


def outcomes(sent: Iterable[str], reply: SyncReply) -> dict[str, Outcome]:
    """The outcome of each record that was sent and is named in the reply.

    Names that were not sent are ignored, records that are not named have no outcome. A record named twice in
    contradiction counts as a conflict before an error, and as an error before an ok, so that none is lost.
    """
    named: dict[str, Outcome] = dict.fromkeys(reply.ok, Accepted())
    named |= {error.client_record_id: NotTaken(error.message) for error in reply.errors}
    named |= {
        kept.client_record_id: SetAside(kept.conflict_type, kept.message, kept.details) for kept in reply.conflicts
    }
    return {name: named[name] for name in sent if name in named}
