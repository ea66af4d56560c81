"""What settling a conflict writes when the device's side becomes current. Pure: it says what to write, and why not.

A line is counted once, a serial number is in one place, and every version that is replaced goes to the history.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ingest.conflicts.places import Place
from ingest.conflicts.proposals import Proposal
from ingest.sync import documents
from ingest.sync.world import line_of
from ingest.sync.writes import Writes
from stockverify.clients import Document
from stockverify.errors import Refused
from stockverify.vocabulary import ConflictType, RecordStatus

_OF_AUTHOR = ("_id", "user_id", "username", "device_id", "created_at", "received_at")
_OF_STORED = (*_OF_AUTHOR, "updated_at", "revision", "digest")
_OF_LINE = ("session_id", "rack_id", "floor", "round")
_NOT_COUNTED: dict[str, Any] = {
    "verified_qty": None,
    "damage_qty": 0.0,
    "serial_numbers": [],
    "status": RecordStatus.PARTIAL.value,
}


class LineTaken(Refused):
    """Item {item_code} there is counted by session {session_id}, in record {record_id}, and this record would count it
    again. Nothing was changed. Send merge with another item_code or bin, or settle it as accept_server or ignore."""


class SerialTaken(Refused):
    """Serial number {serial} belongs to record {record_id}. Nothing was changed. Send merge with other serial_numbers,
    or settle the conflict as accept_server or ignore."""


@dataclass
class Around:
    """What is stored around a proposal: everything on its line, under its id, and about its serial numbers."""

    current: Document | None = None
    on_line: list[Document] = field(default_factory=list)
    listing: list[Document] = field(default_factory=list)
    claims: dict[str, Document] = field(default_factory=dict)
    known_item: bool = False


@dataclass
class _Change:
    """The records that a plan touches, before and after."""

    before: dict[str, Document] = field(default_factory=dict)
    after: dict[str, Document] = field(default_factory=dict)

    def put(self, before: Document | None, after: Document) -> None:
        if before is not None:
            self.before[after["_id"]] = before
        self.after[after["_id"]] = after


def plan(proposal: Proposal, place: Place, around: Around, settled: Document) -> Writes:
    """Everything to write so that the proposal is current. Raises LineTaken or SerialTaken."""
    fresh = _fresh(proposal, place, around) | {"settled": settled}
    change = _made_current(fresh, _others(fresh, place, around), proposal, around)
    (current, *_) = change.after.values()
    for loser, serials in _losers(proposal, current, change, around):
        kept = [serial for serial in loser["serial_numbers"] if serial not in serials]
        change.put(loser, loser | {"serial_numbers": kept, "settled": settled})
    return _writes(change, around)


def _made_current(fresh: Document, others: list[Document], proposal: Proposal, around: Around) -> _Change:
    """The first record of the change is the one that gets the content: its own, else the one that counts its line."""
    change = _Change()
    if around.current is not None:
        _refuse_second_count(fresh, around.current, others)
        change.put(around.current, fresh | {name: around.current[name] for name in _OF_STORED})
    elif others:
        first, *rest = _counterpart_first(others, proposal.conflict)
        change.put(first, fresh | {name: first[name] for name in (*_OF_STORED, *_OF_LINE)})
        for other in rest:  # they were parts of one count, which the device's count replaces
            change.put(other, other | _NOT_COUNTED | {"settled": fresh["settled"]})
    else:
        change.put(None, fresh)
    return change


def _fresh(proposal: Proposal, place: Place, around: Around) -> Document:
    """The record as sync would have stored it; its digest is of what the device sent, so that a replay finds it."""
    content = proposal.local._replace(record=proposal.content)
    received_at, unknown = proposal.conflict["created_at"], not around.known_item
    record = documents.record(content, place.document(), proposal.author, received_at, unknown_item=unknown)
    return record | {"session_id": place.session_id}


def _others(fresh: Document, place: Place, around: Around) -> list[Document]:
    """Accepted records that count the same line from another session, or as another person."""
    mine = (fresh["session_id"], fresh["user_id"])
    return [
        each
        for each in around.on_line
        if each["_id"] != fresh["_id"]
        and place.same_line(each, fresh)
        and (each["session_id"], each["user_id"]) != mine
    ]


def _refuse_second_count(fresh: Document, current: Document, others: list[Document]) -> None:
    """A stored record may change what it counts, and for which session, but not to a line that another session has
    counted; it may be that session's own, too."""
    if others and (line_of(current), current["session_id"]) != (line_of(fresh), fresh["session_id"]):
        other = min(others, key=lambda each: str(each["_id"]))
        raise LineTaken(item_code=fresh["item_code"], session_id=other["session_id"], record_id=other["_id"])


def _counterpart_first(others: list[Document], conflict: Document) -> list[Document]:
    """The record that the conflict was about comes first."""
    counterpart = (conflict["server_data"] or {}).get("_id")
    return sorted(others, key=lambda each: (each["_id"] != counterpart, str(each["_id"])))


def _losers(
    proposal: Proposal, current: Document, change: _Change, around: Around
) -> Iterator[tuple[Document, set[str]]]:
    """Records that give serial numbers up, and which. The same rack in another round is no contradiction."""
    for other in around.listing:
        shared = set(other["serial_numbers"]) & set(current["serial_numbers"])
        if not shared or other["_id"] in change.after or _another_round(other, current):
            continue
        if proposal.conflict["conflict_type"] != ConflictType.DUPLICATE_SERIAL:
            raise SerialTaken(serial=min(shared), record_id=other["_id"])
        yield other, shared


def _another_round(one: Document, other: Document) -> bool:
    return one["rack_id"] is not None and one["rack_id"] == other["rack_id"] and one["round"] != other["round"]


def _writes(change: _Change, around: Around) -> Writes:
    writes = Writes()
    for id_, after in change.after.items():
        before = change.before.get(id_)
        if before is None:
            writes.inserts[id_] = after
        else:
            writes.updates[id_], writes.replaced[id_] = after, before
            old = version(before)
            writes.history[old["_id"]] = old
        writes.racks |= {each["rack_id"] for each in (before, after) if each and each["rack_id"] is not None}
    writes.note_serials(around.claims, _claims_after(change, around))
    return writes


def _claims_after(change: _Change, around: Around) -> dict[str, Document]:
    """A serial number belongs to the record that lists it; of several in one rack, to the one of the latest round."""
    touched = _touched(change)
    claims = {serial: claim for serial, claim in around.claims.items() if serial not in touched}
    unchanged = [each for each in around.listing if each["_id"] not in change.after]
    for lister in sorted((*unchanged, *change.after.values()), key=lambda each: int(each["round"])):
        claims |= {s: documents.serial_claim(s, lister) for s in lister["serial_numbers"] if s in touched}
    return claims


def _touched(change: _Change) -> set[str]:
    """Serial numbers that are listed where they were not, or no more where they were; and all of the current record."""
    current = next(iter(change.after.values()))
    touched = set(current["serial_numbers"])
    for id_, after in change.after.items():
        before = change.before.get(id_)
        touched |= set(after["serial_numbers"]) ^ set(before["serial_numbers"] if before else ())
    return touched


def version(replaced: Document) -> Document:
    """A replaced version for the history. Settling keeps digest and order, so its id says which settlement made it."""
    old = documents.history(replaced)
    return old | {"_id": f"{old['_id']}-{settled['conflict_id']}"} if (settled := replaced.get("settled")) else old


def serials_of(records: Iterable[Document]) -> set[str]:
    """All serial numbers that records list."""
    return {serial for record in records for serial in record["serial_numbers"]}
