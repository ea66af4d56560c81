"""The pure heart of sync: what becomes of a record, given what is stored.

`decide` looks at one record; `decide_batch` folds it over a batch, so that later records see what earlier ones did.
Nothing here depends on a device's clock: revisions of one record are ordered among themselves only.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from ingest.auth.rules import Caller
from ingest.sessions.rules import opened
from ingest.sync import checks, documents
from ingest.sync.incoming import Entry, Incoming, Opening
from ingest.sync.outcomes import Ok, Outcome, Verdict
from ingest.sync.world import World
from ingest.sync.writes import Writes
from stockverify.clients import Document
from stockverify.vocabulary import RackState
from stockverify.wire.sessions import OpenSession
from stockverify.wire.sync import Rejected


class Decision(NamedTuple):
    """One outcome for each record, in request order, and what to write."""

    outcomes: tuple[Outcome, ...]
    writes: Writes


class Judgement(NamedTuple):
    """What `decide` says of one record: the verdict that keeps it aside, or how it is accepted."""

    verdict: Verdict | None = None
    how: str = "insert"


SAME, LATE, UPDATE, INSERT = "same", "late", "update", "insert"
_MESSAGES = {
    SAME: "Stored before.",
    LATE: "An older version; kept in the history.",
    UPDATE: "Stored as a newer version.",
    INSERT: "Stored.",
}


def already_stored(incoming: Incoming, stored: Document | None, caller: Caller) -> bool:
    """A replay of the current version, which needs no further look: the caller's own record, same content and order."""
    return (
        stored is not None
        and stored["user_id"] == caller.user_id
        and stored["digest"] == incoming.digest
        and incoming.order.compare(documents.order_of(stored)) == 0
    )


def decide(incoming: Incoming, stored: Document | None, world: World, caller: Caller) -> Judgement:
    """What becomes of one record."""
    if _replayed(incoming, stored, world, caller):
        return Judgement(how=SAME)
    record = incoming.record
    session = world.sessions.get(record.session_id)
    verdict = (
        checks.wrong_session(record, session, caller)
        or checks.wrong_author(incoming, stored, caller)
        or checks.wrong_quantity(record)
        or checks.contradicted(record)
        or checks.settled(incoming, stored)
    )
    if verdict or session is None:
        return Judgement(verdict)
    if stored is not None and (judgement := _against_stored(incoming, stored, caller)):
        return judgement
    verdict = (
        checks.fenced_off(session, world)
        or checks.fenced_off(world.sessions.get(stored["session_id"]) if stored else None, world)
        or checks.taken_serial(record, session, world)
        or checks.counted_twice(record, session, world)
    )
    if verdict and stored is not None and stored["digest"] == incoming.digest:
        return Judgement(how=SAME)
    return Judgement(verdict, UPDATE if stored is not None else INSERT)


def decide_batch(records: Iterable[Entry], world: World, caller: Caller, now: datetime) -> Decision:
    """One outcome for each record, in request order, and everything that must be written for them. Sessions open
    first: the records of a body may use them wherever they stand in it."""
    records, writes, serials = tuple(records), Writes(), dict(world.serials)
    openings = {
        place: _open(entry, world, writes, caller, now)
        for place, entry in enumerate(records)
        if isinstance(entry, Opening)
    }
    outcomes = tuple(
        openings[place] if isinstance(entry, Opening) else _settle(entry, world, writes, caller, now)
        for place, entry in enumerate(records)
    )
    writes.note_serials(serials, world.serials)
    return Decision(outcomes, writes)


def after_record(status: str) -> str:
    """A claimed rack becomes active with its first record."""
    return RackState.ACTIVE.value if status == RackState.CLAIMED else status


def _replayed(incoming: Incoming, stored: Document | None, world: World, caller: Caller) -> bool:
    """Whether this very version is stored, as the current one or in the history."""
    if stored is None:
        return False
    if already_stored(incoming, stored, caller):
        return True
    return bool(world.known_history) and documents.history_id(incoming, caller) in world.known_history


def _against_stored(incoming: Incoming, stored: Document, caller: Caller) -> Judgement | None:
    """How a version that is not stored yet stands to the stored one; None when it is newer."""
    if stored["device_id"] != caller.device_id or stored.get("settled"):
        return Judgement(how=SAME)  # equal content, or a check had said so; clocks of two devices never meet
    order = incoming.order.compare(documents.order_of(stored))
    if order < 0:
        return Judgement(how=LATE)
    if order == 0:
        return Judgement(checks.stale(incoming, stored, "It has the same revision as the stored version but differs."))
    return None


def _open(opening: Opening, world: World, writes: Writes, caller: Caller, now: datetime) -> Outcome:
    session = world.sessions.get(opening.session_id)
    if session is None:
        asked = OpenSession(warehouse=opening.warehouse, type=opening.type)
        made = opened(opening.session_id, caller, asked, now)
        world.sessions[opening.session_id] = writes.sessions[opening.session_id] = made
        return Ok(opening.client_record_id, "Session opened.")
    if (verdict := checks.foreign_session(opening, session, caller)) is None:
        return Ok(opening.client_record_id, "Session opened before.")
    return _keep_aside(documents.session_conflict(opening, verdict, caller, now), world, writes)


def _settle(incoming: Incoming | Rejected, world: World, writes: Writes, caller: Caller, now: datetime) -> Outcome:
    if isinstance(incoming, Rejected):
        return incoming
    stored = world.records.get(incoming.record.client_record_id)
    if not _replayed(incoming, stored, world, caller) and (known := _known_conflict(incoming, world, caller)):
        return documents.told(known)
    verdict, how = decide(incoming, stored, world, caller)
    if verdict is not None:
        return _keep_aside(documents.conflict(incoming, verdict, caller, now), world, writes)
    if how != SAME:
        _accept(incoming, stored, how, world, writes, caller, now)
    return Ok(incoming.record.client_record_id, _MESSAGES[how])


def _known_conflict(incoming: Incoming, world: World, caller: Caller) -> Document | None:
    """Most batches have met no conflict; then the id that this record's would have need not be computed."""
    return world.conflicts.get(documents.conflict_id(incoming, caller)) if world.conflicts else None


def _keep_aside(conflict: Document, world: World, writes: Writes) -> Outcome:
    known = world.conflicts.get(conflict["_id"])
    if known is None:
        known = world.conflicts[conflict["_id"]] = writes.conflicts[conflict["_id"]] = conflict
    return documents.told(known)


def _accept(
    incoming: Incoming,
    stored: Document | None,
    how: str,
    world: World,
    writes: Writes,
    caller: Caller,
    now: datetime,
) -> None:
    record = incoming.record
    session = world.sessions[record.session_id]
    unknown = record.item_code not in world.known_items
    fresh = documents.record(incoming, session, caller, now, unknown_item=unknown)
    if how == LATE:
        late = documents.history(fresh)
        if late["_id"] not in world.known_history:
            writes.history[late["_id"]] = late
        return
    if stored is not None:
        before = documents.history(stored)
        writes.history[before["_id"]] = before
    if fresh["_id"] in writes.inserts or stored is None:
        writes.inserts[fresh["_id"]] = fresh
    else:
        writes.updates[fresh["_id"]] = fresh
        writes.replaced.setdefault(fresh["_id"], stored)
    writes.racks |= {each["rack_id"] for each in (fresh, stored) if each and each["rack_id"] is not None}
    world.note(fresh)
