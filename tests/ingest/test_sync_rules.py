"""The pure rules of sync: revisions in any order end the same way."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.auth.rules import Caller
from ingest.sync import documents, rules
from ingest.sync.incoming import Incoming, Opening, Order, digest, incoming
from ingest.sync.outcomes import Ok, kind
from ingest.sync.rules import World, Writes
from stockverify.vocabulary import Role, SessionType
from stockverify.wire.sync import Conflicted, SyncRecord

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
CALLER = Caller("u-1", "asha", Role.STAFF, "l-1", "phone")
SESSION = {
    "_id": "s-1",
    "user_id": "u-1",
    "username": "asha",
    "rack_id": "R1",
    "floor": "Ground",
    "fence": 3,
    "round": 1,
}
RACK = {"_id": "R1", "fence": 3, "status": "claimed"}


def sent(revision: int | None = 1, quantity: float | None = 5, minutes: int = 0, **changes: Any) -> Incoming:
    values: dict[str, Any] = {
        "client_record_id": "c-1",
        "session_id": "s-1",
        "item_code": "A",
        "verified_qty": quantity,
        "created_at": NOW,
        "updated_at": NOW + timedelta(minutes=minutes),
        "revision": revision,
    }
    record = SyncRecord(**(values | changes))
    return Incoming(record, digest(record), Order(record.revision, record.updated_at))


def world() -> World:
    return World(sessions={"s-1": dict(SESSION)}, racks={"R1": dict(RACK)}, known_items={"A"})


def after(state: World, writes: Writes) -> World:
    """What is stored once the writes are done."""
    state.conflicts |= writes.conflicts
    return state


def deliver(batches: list[list[Incoming]], state: World | None = None) -> tuple[dict[str, Any], set[str], set[str]]:
    """Current record, ids in the history, ids of conflicts, after these batches one by one."""
    state, history = state or world(), set()
    for batch in batches:
        decision = rules.decide_batch(batch, state, CALLER, NOW)
        assert len(decision.outcomes) == len(batch)
        history |= set(decision.writes.history)
        state = after(state, decision.writes)
    return state.records.get("c-1", {}), history, set(state.conflicts)


def test_newer_content_is_an_update_and_keeps_the_old_version() -> None:
    current, history, conflicts = deliver([[sent(1, 5)], [sent(2, 6)]])
    assert (current["verified_qty"], current["revision"], len(history), conflicts) == (6, 2, 1, set())


def test_older_content_never_overwrites_newer() -> None:
    current, history, conflicts = deliver([[sent(2, 6)], [sent(1, 5)]])
    assert (current["verified_qty"], current["revision"], len(history), conflicts) == (6, 2, 1, set())


def test_different_content_of_the_same_revision_is_stale() -> None:
    current, _, conflicts = deliver([[sent(1, 5)], [sent(1, 6)]])
    assert (current["verified_qty"], len(conflicts)) == (5, 1)


revisions = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from([4.0, 5.0, 6.0])),
    min_size=1,
    max_size=5,
    unique_by=lambda pair: pair[0],
)


@given(revisions, st.data())
def test_any_order_and_any_number_of_deliveries_end_the_same(
    pairs: list[tuple[int, float]], data: st.DataObject
) -> None:
    versions = [sent(revision, quantity) for revision, quantity in sorted(pairs)]
    once = deliver([[version] for version in versions])
    often = data.draw(st.lists(st.sampled_from(versions), max_size=10)) + versions
    shuffled = data.draw(st.permutations(often))
    cut = data.draw(st.integers(0, len(shuffled)))
    assert deliver([shuffled[:cut], shuffled[cut:]] if 0 < cut < len(shuffled) else [shuffled]) == once


@given(revisions, st.booleans(), st.timedeltas(timedelta(days=-3), timedelta(days=3)), st.data())
def test_outcomes_do_not_depend_on_the_clock_of_a_device(
    pairs: list[tuple[int, float]], numbered: bool, off: timedelta, data: st.DataObject
) -> None:
    """Invariant 9: a device whose clock is off by days has the same outcomes and the same current quantity."""
    order = data.draw(st.permutations(pairs * 2))
    serials, told = ("S1",), []
    for shift in (timedelta(0), off):
        state, ends = world(), []
        other = sent(1, 3, client_record_id="c-2", item_code="B", serial_numbers=serials)
        rules.decide_batch([other], state, CALLER, NOW)
        for revision, quantity in order:
            at = NOW + shift + timedelta(minutes=revision)
            taken = serials if quantity == 6.0 else ()
            version = sent(revision if numbered else None, quantity, created_at=NOW + shift, updated_at=at)
            version = incoming(msgspec.structs.replace(version.record, serial_numbers=taken))
            ends += [kind(each) for each in rules.decide_batch([version], state, CALLER, NOW).outcomes]
        told.append((ends, state.records.get("c-1", {}).get("verified_qty"), len(state.conflicts)))
    assert told[0] == told[1]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_return_to_an_earlier_value_is_not_lost(order: tuple[int, ...]) -> None:
    versions = [sent(1, 5), sent(2, 6), sent(3, 5)]
    current, history, _ = deliver([[versions[place]] for place in order])
    assert (current["verified_qty"], current["revision"], len(history)) == (5, 3, 2)


def test_without_revision_numbers_the_devices_own_times_order() -> None:
    current, _, _ = deliver([[sent(None, 6, minutes=2)], [sent(None, 5, minutes=1)]])
    assert current["verified_qty"] == 6


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"damage_qty": 6.0}, "invalid_quantity"),
        ({"damage_qty": -1.0}, "invalid_quantity"),
        ({"quantity": -1.0}, "invalid_quantity"),
        ({"serial_numbers": ("S", "S")}, "duplicate_serial"),
        ({"session_id": "s-9"}, "invalid_data"),
        ({"rack_id": "R9"}, "invalid_data"),
    ],
)
def test_what_is_kept_aside(changes: dict[str, Any], kind: str) -> None:
    outcome = rules.decide_batch([sent(**changes)], world(), CALLER, NOW).outcomes[0]
    assert isinstance(outcome, Conflicted)
    assert outcome.conflict_type == kind


@pytest.mark.parametrize(("rack_id", "kinds"), [("R1", ["invalid_data"]), ("", []), (None, [])])
def test_a_rack_that_a_session_without_one_cannot_vouch_for_is_kept_aside(
    rack_id: str | None, kinds: list[str]
) -> None:
    state, named = world(), sent(1, rack_id=rack_id)
    state.sessions["s-1"] |= {"rack_id": None, "floor": None, "fence": None}
    decision = rules.decide_batch([named], state, CALLER, NOW)
    assert [each["conflict_type"] for each in decision.writes.conflicts.values()] == kinds
    assert [each["local_data"]["rack_id"] for each in decision.writes.conflicts.values()] == ["R1"] * len(kinds)

    state.records["c-1"] = documents.record(named, state.sessions["s-1"], CALLER, NOW, unknown_item=False)
    state.conflicts.clear()
    (again,) = rules.decide_batch([named], state, CALLER, NOW).outcomes
    assert again == Ok("c-1", "Stored before."), "what was accepted before this rule stays so"


@pytest.mark.parametrize(
    ("sent_floor", "of_session", "kept"),
    [
        ("Upper", "Ground", ("Ground", "Upper")),
        ("Ground", "Ground", ("Ground", None)),
        (None, "Ground", ("Ground", None)),
        ("Upper", None, ("Upper", None)),
    ],
)
def test_a_floor_that_the_session_contradicts_is_kept_beside_it(
    sent_floor: str | None, of_session: str | None, kept: tuple[str, str | None]
) -> None:
    state = world()
    state.sessions["s-1"]["floor"] = of_session
    (made,) = rules.decide_batch([sent(1, floor=sent_floor)], state, CALLER, NOW).writes.inserts.values()
    assert (made["floor"], made.get("sent_floor")) == kept


def test_a_raised_fence_keeps_new_work_aside_but_not_what_was_stored() -> None:
    state = world()
    deliver([[sent(1, 5)]], state)
    state.racks["R1"]["fence"] = 4
    replay, update = rules.decide_batch([sent(1, 5), sent(2, 6)], state, CALLER, NOW).outcomes
    assert isinstance(replay, Ok)
    assert isinstance(update, Conflicted)
    assert update.conflict_type == "rack_locked"


def test_a_replay_needs_no_write() -> None:
    state = world()
    deliver([[sent(1, 5)]], state)
    decision = rules.decide_batch([sent(1, 5), sent(1, 5)], state, CALLER, NOW)
    assert not decision.writes
    assert [type(outcome) for outcome in decision.outcomes] == [Ok, Ok]


def test_the_same_id_twice_in_a_batch_is_answered_twice() -> None:
    outcomes = rules.decide_batch([sent(1, 5), sent(2, 6)], world(), CALLER, NOW).outcomes
    assert [outcome.client_record_id for outcome in outcomes] == ["c-1", "c-1"]


def test_a_serial_number_given_back_and_taken_in_one_batch_moves() -> None:
    state = world()
    deliver([[sent(1, serial_numbers=("S1",))]], state)
    batch = [sent(2, serial_numbers=()), sent(1, client_record_id="c-2", item_code="B", serial_numbers=("S1",))]
    decision = rules.decide_batch(batch, state, CALLER, NOW)
    assert [type(outcome) for outcome in decision.outcomes] == [Ok, Ok]
    owner, claim = decision.writes.moved_serials["S1"]
    assert (owner, claim["client_record_id"]) == ("c-1", "c-2")
    assert (decision.writes.new_serials, decision.writes.freed_serials) == ({}, {})


def test_a_serial_number_given_back_and_taken_again_changes_nothing() -> None:
    state = world()
    deliver([[sent(1, serial_numbers=("S1",))]], state)
    decision = rules.decide_batch([sent(2, serial_numbers=()), sent(3, serial_numbers=("S1",))], state, CALLER, NOW)
    writes = decision.writes
    assert (writes.new_serials, writes.moved_serials, writes.freed_serials) == ({}, {}, {})


def test_the_same_content_from_another_device_is_ok_and_changes_no_author() -> None:
    state = world()
    deliver([[sent(None, 5)]], state)
    tablet = CALLER._replace(device_id="tablet")
    decision = rules.decide_batch([sent(None, 5, minutes=9)], state, tablet, NOW)
    assert isinstance(decision.outcomes[0], Ok)
    assert not decision.writes
    assert state.records["c-1"]["device_id"] == "phone"


def test_a_record_cannot_leave_a_rack_that_somebody_else_has_claimed_since() -> None:
    state = world()
    deliver([[sent(1, 5)]], state)
    state.racks["R1"]["fence"] = 4
    state.sessions["s-2"] = SESSION | {"_id": "s-2", "rack_id": "R2", "fence": 1}
    state.racks["R2"] = {"_id": "R2", "fence": 1, "status": "active"}
    outcome = rules.decide_batch([sent(2, 5, session_id="s-2")], state, CALLER, NOW).outcomes[0]
    assert isinstance(outcome, Conflicted)
    assert outcome.conflict_type == "rack_locked"


def test_a_record_that_moves_writes_to_both_racks() -> None:
    state = world()
    deliver([[sent(1, 5)]], state)
    state.sessions["s-2"] = SESSION | {"_id": "s-2", "rack_id": "R2", "fence": 1}
    state.racks["R2"] = {"_id": "R2", "fence": 1, "status": "active"}
    decision = rules.decide_batch([sent(2, 5, session_id="s-2")], state, CALLER, NOW)
    assert isinstance(decision.outcomes[0], Ok)
    assert decision.writes.racks == {"R1", "R2"}


def test_a_replay_of_an_older_version_needs_no_write() -> None:
    state = world()
    _, history, _ = deliver([[sent(1, 5)], [sent(2, 6)]], state)
    state.known_history = history
    decision = rules.decide_batch([sent(1, 5)], state, CALLER, NOW)
    assert isinstance(decision.outcomes[0], Ok)
    assert not decision.writes


def test_digests_stay_what_they_are_because_they_lie_in_databases() -> None:
    plain = sent(serial_numbers=("S1",), mrp=9.5)
    assert plain.digest.hex() == "8d0f0b704cba24914256b33b372fa73d"
    assert plain.digest == sent(serial_numbers=("S1",), mrp=9.5, barcode=None).digest
    for later in ({"barcode": "]C1"}, {"lot": "L"}, {"expiry_date": "2027-01-01"}):
        assert sent(serial_numbers=("S1",), mrp=9.5, **later).digest != plain.digest


def settled_world() -> World:
    """What device and supervisor have left: 5, then 6 by the device, then 7 by the supervisor in its place."""
    state = world()
    _, history, _ = deliver([[sent(1, 5)], [sent(2, 6)]], state)
    before = dict(state.records["c-1"])
    by_supervisor = sent(2, 7)
    state.records["c-1"] |= {"verified_qty": 7.0, "digest": by_supervisor.digest, "settled": {"by": "sue"}}
    state.known_history = history | {documents.history(before)["_id"]}
    return state


@pytest.mark.parametrize(
    ("version", "becomes"),
    [
        (sent(2, 7), "Stored before."),
        (sent(2, 6), "Stored before."),
        (sent(1, 5), "Stored before."),
        (sent(3, 7), "Stored before."),
        (sent(3, 8), "stale_revision"),
        (sent(2, 8), "stale_revision"),
        (sent(1, 8), "stale_revision"),
    ],
    ids=["as settled", "the version before", "an old version", "newer, but equal", "newer", "same revision", "older"],
)
def test_what_a_supervisor_has_settled_is_never_overwritten_by_a_device(version: Incoming, becomes: str) -> None:
    state = settled_world()
    outcome, *_ = rules.decide_batch([version], state, CALLER, NOW).outcomes
    assert (outcome.conflict_type if isinstance(outcome, Conflicted) else outcome.message) == becomes
    assert state.records["c-1"]["verified_qty"] == 7.0
    if isinstance(outcome, Conflicted):
        fields = [{"field": "verified_qty", "local_value": 8.0, "server_value": 7.0}]
        assert (outcome.message, outcome.details["fields"]) == ("A supervisor has settled this record since.", fields)


def test_a_version_in_the_history_is_ok_again_also_when_it_has_the_order_of_the_current_one() -> None:
    state = world()
    deliver([[sent(1, 5)]], state)
    state.known_history = {documents.history_id(sent(1, 6), CALLER)}
    decision = rules.decide_batch([sent(1, 6)], state, CALLER, NOW)
    assert [outcome.message for outcome in decision.outcomes] == ["Stored before."]
    assert not decision.writes
    tablet = CALLER._replace(user_id="u-2")
    assert isinstance(rules.decide_batch([sent(1, 6)], state, tablet, NOW).outcomes[0], Conflicted)


GTIN = "(01)07032069804988"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"barcode": f"{GTIN}(10)AB(17)271231", "lot": "AB", "expiry_date": "2027-12-31"}, None),
        ({"barcode": f"{GTIN}(10)AB", "lot": "CD"}, ("lot", "CD", "AB")),
        ({"item_code": f"{GTIN}(10)AB", "lot": "CD"}, ("lot", "CD", "AB")),
        ({"barcode": f"{GTIN}(17)271200", "expiry_date": "2027-12-30"}, ("expiry_date", "2027-12-30", "2027-12-31")),
        ({"barcode": f"{GTIN}(17)271200", "expiry_date": "2027-12-31T00:00:00Z"}, None),
        ({"barcode": f"{GTIN}(17)271200", "expiry_date": "end of 2027"}, None),
        ({"barcode": GTIN, "lot": "CD", "expiry_date": "2027-12-31"}, None),
        ({"barcode": "no barcode at all", "lot": "CD"}, None),
        ({"barcode": f"{GTIN}(10)AB", "lot": ""}, None),
    ],
)
def test_a_lot_or_a_date_that_the_barcode_contradicts_is_a_conflict(
    changes: dict[str, Any], field: tuple[str, str, str] | None
) -> None:
    outcome = rules.decide_batch([sent(**changes)], world(), CALLER, NOW).outcomes[0]
    if field is None:
        assert isinstance(outcome, Ok)
        return
    assert isinstance(outcome, Conflicted)
    named = dict(zip(("field", "local_value", "server_value"), field, strict=True))
    assert (outcome.conflict_type, outcome.details["fields"]) == ("invalid_data", [named])


def test_raw_and_parsed_barcode_are_kept_beside_the_record() -> None:
    state = world()
    rules.decide_batch([sent(barcode=f"{GTIN}(21)S1"), sent(client_record_id="c-2", barcode="???")], state, CALLER, NOW)
    read = {
        "gtin": "07032069804988",
        "lot": None,
        "expiry": None,
        "best_before": None,
        "serial": "S1",
        "elements": {"01": "07032069804988", "21": "S1"},
    }
    kept = {name: (record["barcode"], record["gs1"]) for name, record in state.records.items()}
    assert kept == {"c-1": (f"{GTIN}(21)S1", read), "c-2": ("???", None)}


def opening(session_id: str = "s-off", name: str = "op-1") -> Opening:
    return Opening(name, session_id, "Main", SessionType.STANDARD)


def test_a_session_opens_before_the_records_of_its_body_wherever_it_stands() -> None:
    batch = [sent(session_id="s-off"), opening(), opening(name="op-2")]
    decision = rules.decide_batch(batch, world(), CALLER, NOW)
    assert [outcome.message for outcome in decision.outcomes] == [
        "Stored.",
        "Session opened.",
        "Session opened before.",
    ]
    made = decision.writes.sessions["s-off"]
    assert (made["user_id"], made["rack_id"], made["status"], made["started_at"]) == ("u-1", None, "open", NOW)
    assert decision.writes.inserts["c-1"]["session_id"] == "s-off"


def test_a_session_id_of_somebody_else_is_a_conflict_once() -> None:
    state = world()
    state.sessions["s-off"] = SESSION | {"user_id": "u-2", "username": "bob"}
    first = rules.decide_batch([opening(), sent(session_id="s-off")], state, CALLER, NOW)
    assert [outcome.conflict_type for outcome in first.outcomes if isinstance(outcome, Conflicted)] == [
        "invalid_data",
        "invalid_data",
    ]
    again = rules.decide_batch([opening()], state, CALLER, NOW)
    assert not again.writes
    assert again.outcomes[0] == first.outcomes[0]
