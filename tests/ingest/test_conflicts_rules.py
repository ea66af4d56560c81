"""The pure rules of settling: random stocks and proposals, and the cases that Hypothesis would take long to meet."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.conflicts.places import Place, place
from ingest.conflicts.plans import Around, LineTaken, plan, serials_of, version
from ingest.conflicts.proposals import WouldBreakRule, proposal
from ingest.sync import documents
from ingest.sync.incoming import incoming
from ingest.sync.world import line_of
from ingest.sync.writes import Writes
from stockverify.clients import Document
from stockverify.errors import BadInput, Refused
from stockverify.vocabulary import ConflictType, RecordStatus
from stockverify.wire.sync import SyncRecord

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
SESSIONS: dict[str, Document] = {
    name: {"_id": name, "user_id": user, "rack_id": rack, "floor": "G", "round": number}
    for name, user, rack, number in (
        ("s-1", "u-1", "R1", 1),
        ("s-2", "u-2", "R1", 1),
        ("s-3", "u-1", "R1", 2),
        ("s-4", "u-2", "R2", 1),
        ("s-5", "u-1", None, 1),
    )
}
RACKS: dict[str, Document] = {
    "R1": {"_id": "R1", "floor": "G", "round": 2},
    "R2": {"_id": "R2", "floor": "G", "round": 1},
}
QUANTITIES = st.sampled_from([None, -1.0, 0.0, 1.0, 5.0, 9.0])


class Stock:
    """Accepted records and their history, in memory, read and written as the store does."""

    def __init__(self) -> None:
        self.records: dict[str, Document] = {}
        self.history: dict[str, Document] = {}
        self.claims: dict[str, Document] = {}

    def accept(self, record: Document) -> None:
        """Take a record as sync would, if nothing stands against it."""
        line = {each["session_id"] for each in self.records.values() if line_of(each) == line_of(record)}
        if record["rack_id"] is not None and line - {record["session_id"]}:
            return
        for other in self.records.values():
            shares = set(other["serial_numbers"]) & set(record["serial_numbers"])
            if shares and not (record["rack_id"] == other["rack_id"] != None and other["round"] < record["round"]):  # noqa: E711
                return
        self.records[record["_id"]] = record
        self.claims |= {serial: documents.serial_claim(serial, record) for serial in record["serial_numbers"]}

    def around(self, content: SyncRecord, where: Place) -> Around:
        """What ingest.conflicts.reading reads."""
        spot = (where.rack_id, where.round, content.item_code)
        rows = list(self.records.values())
        on_line = [row for row in rows if where.rack_id and (row["rack_id"], row["round"], row["item_code"]) == spot]
        current = self.records.get(content.client_record_id)
        serials = serials_of([*on_line, *([current] if current else [])]) | set(content.serial_numbers or ())
        claims = {serial: claim for serial, claim in self.claims.items() if serial in serials}
        racks = {claim["rack_id"] for claim in claims.values()} - {None}
        owners = {claim["client_record_id"] for claim in claims.values()}
        listing = [
            row
            for row in rows
            if row["_id"] in owners or (row["rack_id"] in racks and set(row["serial_numbers"]) & serials)
        ]
        return Around(current=current, on_line=on_line, listing=listing, claims=claims)

    def write(self, writes: Writes) -> None:
        """What ingest.conflicts.writing writes."""
        assert not self.history.keys() & writes.history.keys(), "a version would be lost"
        self.records |= writes.inserts | writes.updates
        self.history |= writes.history
        moved = {serial: claim for serial, (_, claim) in writes.moved_serials.items()}
        self.claims |= writes.new_serials | moved
        for serial in writes.freed_serials:
            del self.claims[serial]

    def broken(self) -> list[str]:
        """What is wrong with it."""
        lines, listers = defaultdict(set), defaultdict(list)
        for row in self.records.values():
            if row["rack_id"] is not None:
                lines[line_of(row)].add(row["session_id"])
            for serial in row["serial_numbers"]:
                listers[serial].append(row)
        owners = {}
        wrong = [f"{line} is counted by {sessions}" for line, sessions in lines.items() if len(sessions) > 1]
        for serial, rows in listers.items():
            owners[serial] = max(rows, key=lambda row: int(row["round"]))["_id"]
            places = {(row["rack_id"], row["round"]) for row in rows}
            if len({rack for rack, _ in places}) > 1 or len(places) < len(rows):
                wrong.append(f"{serial} is in {[row['_id'] for row in rows]}")
        claimed = {serial: claim["client_record_id"] for serial, claim in self.claims.items()}
        wrong += [f"claims {claimed} are not {owners}"] if claimed != owners else []
        for row in self.records.values():
            if not 0 <= row["damage_qty"] <= (row["verified_qty"] or 0):
                wrong.append(f"{row['_id']}: {row['damage_qty']} of {row['verified_qty']}")
        return wrong


def sent(name: str, session_id: str, **changes: Any) -> SyncRecord:
    values: dict[str, Any] = {
        "client_record_id": name,
        "session_id": session_id,
        "item_code": "A",
        "verified_qty": 5.0,
        "created_at": NOW,
        "updated_at": NOW,
        "status": RecordStatus.PARTIAL,
    }
    return SyncRecord(**(values | changes))


def conflict(record: SyncRecord, user_id: str, kind: ConflictType, number: int) -> Document:
    return {
        "_id": f"cf-{number}",
        "entity_type": "verification_record",
        "conflict_type": kind.value,
        "client_record_id": record.client_record_id,
        "user": user_id,
        "user_id": user_id,
        "device_id": "",
        "local_data": documents.plain(record),
        "server_data": None,
        "created_at": NOW + timedelta(seconds=number),
    }


records = st.builds(
    sent,
    name=st.sampled_from(["c-1", "c-2", "c-3", "c-4"]),
    session_id=st.sampled_from([*SESSIONS, "s-unknown"]),
    rack_id=st.sampled_from([None, "R1", "R2", "R9"]),
    item_code=st.sampled_from(["A", "B"]),
    bin=st.sampled_from([None, "1"]),
    verified_qty=QUANTITIES,
    damage_qty=QUANTITIES,
    serial_numbers=st.lists(st.sampled_from(["x", "y", "z"]), max_size=2).map(tuple),
    revision=st.integers(1, 3),
)
users = st.sampled_from(["u-1", "u-2"])
stocks = st.lists(st.tuples(st.sampled_from(list(SESSIONS)), records), max_size=6)


def stocked(rows: list[tuple[str, SyncRecord]]) -> Stock:
    """A stock of what sync would have accepted of these records."""
    stock = Stock()
    for number, (session_id, record) in enumerate(rows):
        session, name = SESSIONS[session_id], f"c-{number}"
        caller = proposal(
            conflict(sent(name, session_id), session["user_id"], ConflictType.INVALID_DATA, 0), None
        ).author
        fresh = documents.record(incoming(record), session, caller, NOW, unknown_item=False)
        counted = 0 <= fresh["damage_qty"] <= (fresh["verified_qty"] or 0)
        if counted and len(set(fresh["serial_numbers"])) == len(fresh["serial_numbers"]):
            stock.accept(fresh | {"_id": name, "session_id": session_id})
    return stock


@settings(max_examples=300)
@given(
    stocks, st.lists(st.tuples(records, users, st.sampled_from(ConflictType), st.booleans()), min_size=1, max_size=4)
)
def test_settling_keeps_every_rule_and_every_version(
    rows: list[tuple[str, SyncRecord]], proposals: list[tuple[SyncRecord, str, ConflictType, bool]]
) -> None:
    stock = stocked(rows)
    assert stock.broken() == []
    for number, (record, user_id, kind, merged) in enumerate(proposals):
        kept_aside, before = conflict(record, user_id, kind, number), dict(stock.records)
        known = len(stock.history)
        try:
            proposed = proposal(kept_aside, {"verified_qty": 9.0, "damage_qty": 1.0} if merged else None)
            where = place(proposed, SESSIONS.get(record.session_id), RACKS.get(record.rack_id or ""))
            mark = {"by": "sue", "at": NOW, "conflict_id": kept_aside["_id"]}
            writes = plan(proposed, where, stock.around(proposed.content, where), mark)
        except (BadInput, Refused):
            continue
        stock.write(writes)
        assert stock.broken() == []
        changed = {id_: old for id_, old in before.items() if stock.records[id_] != old}
        assert len(stock.history) == known + len(changed)
        assert {version(old)["_id"] for old in changed.values()} == set(writes.history)
        assert set(stock.records) - set(before) <= {record.client_record_id}
        racks = {row["rack_id"] for row in (*changed.values(), *(stock.records[id_] for id_ in changed))}
        assert writes.racks >= racks - {None}
        for id_, old in changed.items():
            same = ("user_id", "device_id", "digest", "revision", "updated_at", "received_at")
            assert {name: stock.records[id_][name] for name in same} == {name: old[name] for name in same}
            assert stock.records[id_]["settled"] == mark


def test_a_record_does_not_leave_the_session_that_counts_the_same_line_in_another_record() -> None:
    same_line = [("s-1", sent(f"c-{number}", "s-1", verified_qty=1.0)) for number in range(2)]
    stock = stocked(same_line)
    proposed = proposal(conflict(sent("c-1", "s-2"), "u-2", ConflictType.INVALID_DATA, 1), None)
    where = place(proposed, SESSIONS["s-2"], None)
    with pytest.raises(LineTaken, match=r"counted by session s-1, in record c-0"):
        plan(proposed, where, stock.around(proposed.content, where), {})


@given(records, users)
def test_what_is_accepted_is_a_replay_of_what_was_sent(record: SyncRecord, user_id: str) -> None:
    try:
        proposed = proposal(conflict(record, user_id, ConflictType.INVALID_DATA, 1), {"item_condition": "wet"})
    except WouldBreakRule:
        return
    where = Place("s-1", "R1", "G", 1)
    (row,) = plan(proposed, where, Around(), {"conflict_id": "cf-1"}).inserts.values()
    assert (row["digest"], row["item_condition"]) == (incoming(record).digest, "wet")
    assert documents.order_of(row) == incoming(record).order


CASES: list[tuple[str, Document | None, Document | None, Place]] = [
    ("its own session", SESSIONS["s-1"], RACKS["R2"], Place("s-1", "R1", "G", 1)),
    ("its own session without a rack, a known rack", SESSIONS["s-5"], RACKS["R2"], Place("s-5", "R2", "G", 1)),
    ("its own session without a rack, no rack", SESSIONS["s-5"], None, Place("s-5", None, "G", 1)),
    ("another's session, a known rack", SESSIONS["s-2"], RACKS["R1"], Place("cf-7", "R1", "G", 2)),
    ("another's session, no rack", SESSIONS["s-2"], None, Place("cf-7", None, None, 1)),
    ("an unknown session, a known rack", None, RACKS["R1"], Place("s-9", "R1", "G", 2)),
    ("an unknown session, no rack", None, None, Place("s-9", None, None, 1)),
]


@pytest.mark.parametrize(("name", "session", "rack", "expected"), CASES, ids=[case[0] for case in CASES])
def test_where_a_record_counts(name: str, session: Document | None, rack: Document | None, expected: Place) -> None:
    record = sent("c-1", session["_id"] if session else "s-9")
    assert place(proposal(conflict(record, "u-1", ConflictType.INVALID_DATA, 7), None), session, rack) == expected


def test_a_version_that_a_settlement_made_has_a_place_of_its_own_in_the_history() -> None:
    first = plan(
        proposal(conflict(sent("c-1", "s-1"), "u-1", ConflictType.RACK_LOCKED, 1), None),
        Place("s-1", "R1", "G", 1),
        Around(),
        {"conflict_id": "cf-1"},
    ).inserts["c-1"]
    plain = {name: value for name, value in first.items() if name != "settled"}
    assert version(first)["_id"] == f"{version(plain)['_id']}-cf-1"
    assert version(plain) == documents.history(plain)
