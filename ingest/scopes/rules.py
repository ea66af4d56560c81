"""Pure decisions about scopes: what of each operation somebody reaches who may see some floors only.

Whoever has no scope reaches everything that their role allows, and nothing here concerns them.
"""

from enum import StrEnum

from ingest.auth.rules import Caller
from stockverify.clients import Document
from stockverify.errors import BadInput, Forbidden

Floors = tuple[str, ...]
EVERYWHERE: Floors = ()


class OutOfReach(Forbidden):
    """You may see these floors only: {floors}. This shows, or concerns, others too; ask somebody who may see all."""


class DifferentScopes(BadInput):
    """These two were made for people who see different floors, so they cannot be compared. Take two of one kind."""


class Reach(StrEnum):
    """How an operation keeps to the floors of whoever calls it."""

    NO_STOCK = "it tells nothing of stock"
    COUNTING = "it is part of counting, which people do wherever they are sent"
    ASKED = "what it asks of the data, it asks within the floors"
    LISTED = "it lists, shows or changes what is on the floors"
    MADE = "it shows, or uses, what was made within the floors"
    OWN = "it shows the caller's own"
    CLOSED = "it is for people without a scope"


_NAMES: dict[Reach, str] = {
    Reach.NO_STOCK: "auth.logout auth.me auth.users devices.list queries.templates queries.list queries.one "
    "queries.save queries.delete reports.collections reports.pin reports.unpin reports.request_run",
    Reach.COUNTING: "racks.claim racks.release racks.pause racks.resume sessions.open sessions.heartbeat "
    "sessions.complete sessions.set_status sync.batch sync.heartbeat",
    Reach.ASKED: "reports.preview reports.create_snapshot anomalies.list",
    Reach.LISTED: "racks.list racks.available racks.floors racks.status racks.force_release racks.reverify "
    "sessions.active sessions.list sessions.presence sessions.one sessions.stats "
    "conflicts.list conflicts.stats conflicts.one conflicts.resolve conflicts.batch_resolve",
    Reach.MADE: "reports.snapshots reports.snapshot reports.lineage reports.delete_snapshot reports.refresh_snapshot "
    "reports.export_snapshot reports.compare reports.comparison reports.comparisons reports.comparison_rows "
    "reports.comparison_contributions reports.export_comparison reports.cancel_comparison exports.create "
    "exports.list exports.one exports.manifest exports.cancel",
    Reach.OWN: "racks.mine sessions.history sync.receipts reports.run",
}
REACH: dict[str, Reach] = {name: reach for reach, names in _NAMES.items() for name in names.split()}
"""What is not named here is closed to people with a scope, whatever their role; a test walks all routes."""


def check_operation(operation: str, caller: Caller) -> None:
    """Raises OutOfReach."""
    if caller.floors and REACH.get(operation, Reach.CLOSED) is Reach.CLOSED:
        raise _out(caller)


def check_floor(floor: str | None, caller: Caller) -> None:
    """Whether something on that floor concerns the caller. Raises OutOfReach."""
    if caller.floors and floor not in caller.floors:
        raise _out(caller)


def check_unscoped(caller: Caller) -> None:
    """Raises OutOfReach for people with a scope."""
    if caller.floors:
        raise _out(caller)


def floors_of(document: Document) -> Floors:
    """The floors within which something was made; none are all."""
    return tuple(document.get("floors") or ())


def check_made(document: Document, caller: Caller) -> None:
    """Whether something was made within what the caller may see. Raises OutOfReach."""
    made = set(floors_of(document))
    if caller.floors and (not made or made - set(caller.floors)):
        raise _out(caller)


def made_within(caller: Caller) -> Document:
    """The filter of a list of what was made within what the caller may see."""
    if not caller.floors:
        return {}
    others = {"$elemMatch": {"$nin": list(caller.floors)}}
    return {"floors": {"$exists": True, "$ne": [], "$not": others}}


def within(caller: Caller, *documents: Document | None) -> Floors:
    """The floors within which a question is asked: those in which what it is about was made, or the caller's own where
    it is about everything. Raises OutOfReach or DifferentScopes."""
    for document in documents:
        if document is not None:
            check_made(document, caller)
    asked = {caller.floors if document is None else floors_of(document) for document in documents}
    if len(asked) > 1:
        raise DifferentScopes()
    return next(iter(asked), caller.floors)


def on_floors(caller: Caller, field: str) -> Document:
    """The filter of a list of what is on the floors that the caller may see."""
    return {field: {"$in": list(caller.floors)}} if caller.floors else {}


def _out(caller: Caller) -> OutOfReach:
    return OutOfReach(floors=", ".join(caller.floors))
