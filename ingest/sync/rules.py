"""The pure heart of sync: what becomes of a record, given what is stored.

`decide` looks at one record; `decide_batch` folds it over a batch, so that later records see what earlier ones did.
Nothing here depends on a device's clock: revisions of one record are ordered among themselves only.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ingest.auth.rules import Caller
from ingest.sync import documents
from ingest.sync.incoming import Incoming
from ingest.sync.outcomes import Ok, Outcome, Verdict
from stockverify.clients import Document
from stockverify.vocabulary import ConflictType, RackState
from stockverify.wire import Rejected, SyncRecord

Line = tuple[str, int, str, str]


@dataclass
class World:
    """What is stored about the records of a batch; the fold keeps it up to date."""

    records: dict[str, Document] = field(default_factory=dict)
    conflicts: dict[str, Document] = field(default_factory=dict)
    sessions: dict[str, Document] = field(default_factory=dict)
    racks: dict[str, Document] = field(default_factory=dict)
    serials: dict[str, Document] = field(default_factory=dict)
    lines: dict[Line, dict[str, str]] = field(default_factory=dict)
    known_items: set[str] = field(default_factory=set)
    known_history: set[str] = field(default_factory=set)

    def note(self, record: Document) -> None:
        """Remember an accepted record for those that follow in the batch."""
        if (before := self.records.get(record["_id"])) and before["rack_id"] is not None:
            self.lines.get(line_of(before), {}).pop(record["_id"], None)
        self._give_back_serials(record["_id"])
        self.records[record["_id"]] = record
        if record["rack_id"] is not None:
            self.lines.setdefault(line_of(record), {})[record["_id"]] = record["session_id"]
        for serial in record["serial_numbers"]:
            self.serials[serial] = documents.serial_claim(serial, record)

    def _give_back_serials(self, client_record_id: str) -> None:
        """A newer version gives back what the version before it had claimed."""
        for serial in self.records.get(client_record_id, {}).get("serial_numbers", ()):
            if self.serials.get(serial, {}).get("client_record_id") == client_record_id:
                del self.serials[serial]


@dataclass
class Writes:
    """Everything that one batch writes, all or nothing. Keys are ids, so a record written twice is written once."""

    inserts: dict[str, Document] = field(default_factory=dict)
    updates: dict[str, Document] = field(default_factory=dict)
    replaced: dict[str, Document] = field(default_factory=dict)
    history: dict[str, Document] = field(default_factory=dict)
    conflicts: dict[str, Document] = field(default_factory=dict)
    new_serials: dict[str, Document] = field(default_factory=dict)
    moved_serials: dict[str, tuple[str, Document]] = field(default_factory=dict)
    freed_serials: dict[str, str] = field(default_factory=dict)
    racks: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.inserts or self.updates or self.history or self.conflicts)

    def note_serials(self, before: dict[str, Document], after: dict[str, Document]) -> None:
        """What must be written so that the claims on serial numbers are as they are after the batch."""
        for serial, claim in after.items():
            owner = before.get(serial)
            if owner is None:
                self.new_serials[serial] = claim
            elif owner != claim:
                self.moved_serials[serial] = (owner["client_record_id"], claim)
        self.freed_serials = {
            serial: owner["client_record_id"] for serial, owner in before.items() if serial not in after
        }


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


def line_of(record: Document) -> Line:
    """Where a record counts: rack, round, item and bin (empty for none)."""
    return (record["rack_id"], record["round"], record["item_code"], record["bin"] or "")


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
    record = incoming.record
    if already_stored(incoming, stored, caller):
        return Judgement(how=SAME)
    session = world.sessions.get(record.session_id)
    verdict = (
        _wrong_session(record, session, caller) or _wrong_author(incoming, stored, caller) or _wrong_quantity(record)
    )
    if verdict or session is None:
        return Judgement(verdict)
    if stored is not None:
        if stored["device_id"] != caller.device_id:
            return Judgement(how=SAME)  # equal content, or _wrong_author had said so; clocks of two devices never meet
        order = incoming.order.compare(documents.order_of(stored))
        if order < 0:
            return Judgement(how=LATE)
        if order == 0:
            return Judgement(_stale(incoming, stored, "It has the same revision as the stored version but differs."))
    verdict = (
        _fenced_off(session, world)
        or _fenced_off(world.sessions.get(stored["session_id"]) if stored else None, world)
        or _taken_serial(record, session, world)
        or _counted_twice(record, session, world)
    )
    if verdict and stored is not None and stored["digest"] == incoming.digest:
        return Judgement(how=SAME)
    return Judgement(verdict, UPDATE if stored is not None else INSERT)


def decide_batch(records: Iterable[Incoming | Rejected], world: World, caller: Caller, now: datetime) -> Decision:
    """One outcome for each record, in request order, and everything that must be written for them."""
    writes, serials = Writes(), dict(world.serials)
    outcomes = tuple(
        entry if isinstance(entry, Rejected) else _settle(entry, world, writes, caller, now) for entry in records
    )
    writes.note_serials(serials, world.serials)
    return Decision(outcomes, writes)


def _settle(incoming: Incoming, world: World, writes: Writes, caller: Caller, now: datetime) -> Outcome:
    record = incoming.record
    stored = world.records.get(record.client_record_id)
    if not already_stored(incoming, stored, caller):
        conflict_id = documents.conflict_id(incoming, caller)
        if known := world.conflicts.get(conflict_id):
            return documents.told(known)
    verdict, how = decide(incoming, stored, world, caller)
    if verdict is not None:
        conflict = documents.conflict(incoming, verdict, caller, now)
        world.conflicts[conflict["_id"]] = writes.conflicts[conflict["_id"]] = conflict
        return documents.told(conflict)
    if how != SAME:
        _accept(incoming, stored, how, world, writes, caller, now)
    return Ok(record.client_record_id, _MESSAGES[how])


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


def _wrong_session(record: SyncRecord, session: Document | None, caller: Caller) -> Verdict | None:
    if session is None:
        message = f"Session {record.session_id} is not known. The record is kept; claim the rack and count it again."
        return Verdict(ConflictType.INVALID_DATA, message, (("session_id", record.session_id, None),))
    if session["user_id"] != caller.user_id:
        message = f"Session {record.session_id} belongs to another counter."
        return Verdict(ConflictType.INVALID_DATA, message, (("user", caller.username, session["username"]),))
    if record.rack_id and session["rack_id"] and record.rack_id != session["rack_id"]:
        message = f"The record names rack {record.rack_id}, its session is on rack {session['rack_id']}."
        return Verdict(ConflictType.INVALID_DATA, message, (("rack_id", record.rack_id, session["rack_id"]),))
    return None


def _wrong_author(incoming: Incoming, stored: Document | None, caller: Caller) -> Verdict | None:
    """A stored record may be changed by the person and the device that made it, and by nobody else."""
    if stored is None:
        return None
    if stored["user_id"] != caller.user_id:
        return _stale(incoming, stored, "A record with this id was stored by another counter.")
    if stored["device_id"] != caller.device_id and stored["digest"] != incoming.digest:
        return _stale(incoming, stored, "This record was stored by another device of yours and differs.")
    return None


def _stale(incoming: Incoming, stored: Document, message: str) -> Verdict:
    return Verdict(ConflictType.STALE_REVISION, message, documents.differences(incoming.record, stored), stored)


def _wrong_quantity(record: SyncRecord) -> Verdict | None:
    verified, damage = record.verified_qty, record.damage_qty or 0.0
    if (verified is not None and verified < 0) or damage < 0:
        message = f"Quantities cannot be negative: verified {verified}, damaged {damage}."
    elif damage > (verified or 0.0):
        message = f"More damaged ({damage:g}) than counted ({'nothing' if verified is None else f'{verified:g}'})."
    else:
        return None
    return Verdict(
        ConflictType.INVALID_QUANTITY,
        message,
        (("damage_qty", damage, None), ("verified_qty", verified, None)),
    )


def _fenced_off(session: Document | None, world: World) -> Verdict | None:
    """Late work is welcome while nobody has claimed the rack since. A record that moves needs both racks."""
    rack = world.racks.get(session["rack_id"] or "") if session else None
    if session is None or rack is None or rack["fence"] == session["fence"]:
        return None
    message = f"Rack {rack['_id']} was taken from session {session['_id']} since; somebody else may have counted it."
    return Verdict(ConflictType.RACK_LOCKED, message, (("fence", session["fence"], rack["fence"]),))


def _taken_serial(record: SyncRecord, session: Document, world: World) -> Verdict | None:
    """A serial number is in one place. Counting its rack again in a later round moves the claim."""
    serials = record.serial_numbers or ()
    if len(set(serials)) < len(serials):
        twice = next(serial for serial in serials if serials.count(serial) > 1)
        return Verdict(ConflictType.DUPLICATE_SERIAL, f"Serial number {twice} stands twice in this record.")
    for serial in serials:
        owner = world.serials.get(serial)
        if owner is None or owner["client_record_id"] == record.client_record_id:
            continue
        if (
            owner["rack_id"] is not None
            and owner["rack_id"] == session["rack_id"]
            and owner["round"] < session["round"]
        ):
            continue
        message = f"Serial number {serial} was counted before, in record {owner['client_record_id']}."
        difference = ("serial_numbers", serial, owner["client_record_id"])
        return Verdict(ConflictType.DUPLICATE_SERIAL, message, (difference,), owner)
    return None


def _counted_twice(record: SyncRecord, session: Document, world: World) -> Verdict | None:
    if session["rack_id"] is None:
        return None
    line = (session["rack_id"], session["round"], record.item_code, record.bin or "")
    counted = world.lines.get(line, {}).items()
    others = sorted((rid, sid) for rid, sid in counted if sid != session["_id"] and rid != record.client_record_id)
    if not others:
        return None
    other_record, other_session = others[0]
    place = f"bin {record.bin} of rack {session['rack_id']}" if record.bin else f"rack {session['rack_id']}"
    message = f"Item {record.item_code} in {place} was counted in this round by session {other_session} already."
    stored = world.records.get(other_record)
    differences = (
        documents.differences(record, stored) if stored else (("record", record.client_record_id, other_record),)
    )
    return Verdict(ConflictType.CONCURRENT_EDIT, message, differences, stored)


def after_record(status: str) -> str:
    """A claimed rack becomes active with its first record."""
    return RackState.ACTIVE.value if status == RackState.CLAIMED else status
