"""What each way to settle each kind of conflict leaves in the database (invariants 3 to 8)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analytics.extract import materialise
from analytics.lake import Lake
from tests.ingest.settling import (
    SCENES,
    Scene,
    Stored,
    accepted,
    broken,
    contents,
    kept_aside,
    of_racks,
    resolve,
    settled,
)
from tests.service import Service, claim, record, sync

MERGED = {"verified_qty": 9, "damage_qty": 1}
OUTCOMES: list[tuple[str, dict[str, Any]]] = [
    ("accept_server", {}),
    ("ignore", {}),
    ("accept_local", {}),
    ("merge", {"merged_data": MERGED}),
]
SETTLED = ("status", "resolution", "resolved_by", "resolution_note")


@pytest.fixture(scope="module")
def supervisor(service: Service) -> Any:
    """Somebody who settles."""
    return service.person("supervisor")


def by_id(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["_id"]: row for row in rows}


def answers(scene: Scene) -> list[tuple[list[str], list[str]]]:
    """What the devices are told when they send everything again: ids that are ok, and ids of conflicts."""
    told = []
    for client, sent in scene.deliveries:
        reply = sync(client, sent)
        told.append((reply["ok"], [each["details"]["conflict_id"] for each in reply["conflicts"]]))
    return told


@pytest.mark.parametrize(("resolution", "more"), OUTCOMES, ids=[name for name, _ in OUTCOMES])
@pytest.mark.parametrize("kind", SCENES)
def test_settling_breaks_no_rule_loses_no_version_and_replays_change_nothing(
    service: Service, stored: Stored, supervisor: Any, kind: str, resolution: str, more: dict[str, Any]
) -> None:
    scene = SCENES[kind](service)
    before = contents(stored)
    reply = resolve(supervisor, scene.conflict_id, resolution, resolution_note="seen", **more)
    if (kind, resolution) == ("invalid_quantity", "accept_local"):
        assert reply.status_code == 400
        assert "damage_qty (11) is more than verified_qty (10)" in reply.json()["detail"]
        assert contents(stored) == before
        return
    assert reply.status_code == 200, reply.text
    name = supervisor.get("/api/auth/me").json()["username"]
    conflict = reply.json()["data"]
    assert [conflict[each] for each in SETTLED] == ["resolved", resolution, name, "seen"]
    after = contents(stored)
    assert broken(stored, scene.racks) == []
    assert len(after["activity_logs"]) == len(before["activity_logs"]) + 1
    records, old = by_id(after["verification_records"]), by_id(before["verification_records"])
    changed = {id_: old[id_] for id_ in old if records.get(id_) != old[id_]}
    history = [row for row in after["record_history"] if row not in before["record_history"]]
    assert {row["client_record_id"]: row["digest"] for row in history} == {
        id_: row["digest"] for id_, row in changed.items()
    }
    assert {row["client_record_id"]: row["verified_qty"] for row in history} == {
        id_: row["verified_qty"] for id_, row in changed.items()
    }
    if resolution in ("accept_server", "ignore"):
        same = ("verification_records", "record_history", "item_serials")
        assert {name: after[name] for name in same} == {name: before[name] for name in same}
    for ok, conflicts in answers(scene):
        assert conflicts in ([], [scene.conflict_id])
        assert len(ok) + len(conflicts) == 1
    assert contents(stored) == after, "replays change nothing"


def test_the_local_count_replaces_the_one_that_stands_so_that_the_line_is_counted_once(
    service: Service, stored: Stored, supervisor: Any
) -> None:
    scene = SCENES["concurrent_edit"](service)
    (rack,) = scene.racks
    before = of_racks(stored, [rack])[f"{rack}-1"]
    conflict = settled(supervisor, scene.conflict_id, "accept_local")
    mark = {"by": conflict["resolved_by"], "at": before["received_at"], "conflict_id": scene.conflict_id}
    (row,) = of_racks(stored, [rack]).values()
    assert row["settled"].pop("at") > mark.pop("at")
    assert row == before | {"verified_qty": 8, "serial_numbers": [f"{rack}-new"], "settled": mark}
    (old,) = stored.record_history.find({"client_record_id": f"{rack}-1"})
    assert (old["verified_qty"], old["serial_numbers"]) == (10, [f"{rack}-old"])
    assert answers(scene) == [([f"{rack}-1"], []), ([], [scene.conflict_id])]


def test_late_work_that_nobody_else_counted_is_inserted_and_its_replay_is_ok(
    service: Service, stored: Stored, supervisor: Any
) -> None:
    scene = SCENES["rack_locked"](service)
    (rack,) = scene.racks
    settled(supervisor, scene.conflict_id, "accept_local")
    row = of_racks(stored, [rack])[f"{rack}-1"]
    assert (row["verified_qty"], row["round"], row["session_id"]) == (6, 1, scene.local["session_id"])
    assert stored.item_serials.find_one({"_id": f"{rack}-s"})["client_record_id"] == f"{rack}-1"  # type: ignore[index]
    assert answers(scene) == [([f"{rack}-2"], []), ([f"{rack}-1"], [])]


def test_late_work_whose_line_was_counted_since_goes_into_that_count(
    service: Service, stored: Stored, supervisor: Any
) -> None:
    scene = SCENES["rack_locked_and_counted"](service)
    (rack,) = scene.racks
    settled(supervisor, scene.conflict_id, "accept_local")
    rows = of_racks(stored, [rack])
    assert {id_: row["verified_qty"] for id_, row in rows.items()} == {f"{rack}-2": 6}
    assert stored.item_serials.find_one({"_id": f"{rack}-s"}) is None


def test_every_rack_that_is_touched_makes_batches_on_their_way_decide_again(
    service: Service, stored: Stored, supervisor: Any
) -> None:
    for kind in ("concurrent_edit", "rack_locked", "stale_revision", "duplicate_serial"):
        scene = SCENES[kind](service)
        of_scene = {"_id": {"$in": scene.racks}}
        before = {rack["_id"]: rack.get("batches", 0) for rack in stored.rack_registry.find(of_scene)}
        settled(supervisor, scene.conflict_id, "accept_local")
        after = {rack["_id"]: rack["batches"] for rack in stored.rack_registry.find(of_scene)}
        assert after == {rack: count + 1 for rack, count in before.items()}


def test_a_record_under_a_used_id_becomes_current_and_stays_that_of_its_author(
    service: Service, stored: Stored, supervisor: Any
) -> None:
    scene = SCENES["stale_revision"](service)
    rack, other = scene.racks
    before = of_racks(stored, [rack])[f"{rack}-1"]
    settled(supervisor, scene.conflict_id, "accept_local")
    row = of_racks(stored, [rack, other])[f"{rack}-1"]
    kept = ("user_id", "device_id", "revision", "updated_at", "digest", "created_at", "received_at")
    assert {name: row[name] for name in kept} == {name: before[name] for name in kept}
    assert (row["verified_qty"], row["rack_id"], row["session_id"]) == (4, other, scene.local["session_id"])
    claims = {each["_id"] for each in stored.item_serials.find({"client_record_id": f"{rack}-1"})}
    assert claims == {f"{rack}-b", f"{rack}-c"}
    assert answers(scene) == [([f"{rack}-1"], []), ([], [scene.conflict_id])]


def test_a_device_does_not_overwrite_what_was_settled_and_every_version_is_kept(
    service: Service, stored: Stored, supervisor: Any
) -> None:
    scene = SCENES["concurrent_edit"](service)
    (rack,) = scene.racks
    settled(supervisor, scene.conflict_id, "accept_local")
    first, mine = scene.deliveries[0]
    newer = mine | {"verified_qty": 12, "updated_at": "2026-01-06T08:00:00Z"}
    again = kept_aside(first, newer, "stale_revision")
    settled(supervisor, again, "accept_local")
    (row,) = of_racks(stored, [rack]).values()
    assert (row["verified_qty"], row["settled"]["conflict_id"]) == (12, again)
    versions = stored.record_history.find({"client_record_id": f"{rack}-1"})
    assert sorted(each["verified_qty"] for each in versions) == [8, 10]
    assert broken(stored, [rack]) == []
    assert answers(scene) == [([f"{rack}-1"], []), ([], [scene.conflict_id])]


def test_a_serial_number_moves_and_the_record_that_gives_it_up_keeps_its_quantity(
    service: Service, stored: Stored, supervisor: Any
) -> None:
    scene = SCENES["duplicate_serial"](service)
    rack, other = scene.racks
    settled(supervisor, scene.conflict_id, "accept_local")
    rows = of_racks(stored, [rack, other])
    told = {id_: (row["verified_qty"], row["serial_numbers"]) for id_, row in rows.items()}
    assert told == {f"{rack}-1": (10, [f"{rack}-a"]), f"{other}-1": (4, [f"{rack}-b"])}
    assert {id_: row["settled"]["conflict_id"] for id_, row in rows.items()} == dict.fromkeys(rows, scene.conflict_id)
    (old,) = stored.record_history.find({"client_record_id": f"{rack}-1"})
    assert old["serial_numbers"] == [f"{rack}-a", f"{rack}-b"]
    assert answers(scene) == [([f"{rack}-1"], []), ([f"{other}-1"], [])]


def test_a_serial_number_of_two_rounds_is_given_up_in_both(service: Service, stored: Stored, supervisor: Any) -> None:
    staff, rack, elsewhere = service.person(), service.rack(), service.rack()
    grant, serial = claim(staff, rack), f"{rack}-s"
    accepted(staff, record(grant, f"{rack}-1", serial_numbers=[serial]))
    staff.post(f"/api/sessions/{grant['session_id']}/complete")
    supervisor.post(f"/api/racks/{rack}/reverify")
    accepted(staff, record(claim(staff, rack), f"{rack}-2", serial_numbers=[serial]))
    finder = service.person()
    found = record(claim(finder, elsewhere), f"{elsewhere}-1", serial_numbers=[serial])
    settled(supervisor, kept_aside(finder, found, "duplicate_serial"), "accept_local")
    rows = of_racks(stored, [rack, elsewhere])
    assert {id_: row["serial_numbers"] for id_, row in rows.items()} == {
        f"{rack}-1": [],
        f"{rack}-2": [],
        f"{elsewhere}-1": [serial],
    }
    assert broken(stored, [rack, elsewhere]) == []


def test_any_other_conflict_takes_no_serial_number_away(service: Service, stored: Stored, supervisor: Any) -> None:
    staff, owner, rack, other = service.person(), service.person(), service.rack(), service.rack()
    grant = claim(staff, rack)
    wrong = record(grant, f"{rack}-1", damage_qty=11, serial_numbers=[f"{rack}-s"])
    conflict_id = kept_aside(staff, wrong, "invalid_quantity")
    accepted(owner, record(claim(owner, other), f"{other}-1", serial_numbers=[f"{rack}-s"]))
    before = contents(stored)
    reply = resolve(supervisor, conflict_id, "merge", merged_data={"damage_qty": 1})
    assert reply.status_code == 409
    assert f"Serial number {rack}-s belongs to record {other}-1." in reply.json()["detail"]
    assert contents(stored) == before
    settled(supervisor, conflict_id, "merge", merged_data={"damage_qty": 1, "serial_numbers": []})
    assert broken(stored, [rack, other]) == []


def test_a_serial_number_of_the_same_rack_in_an_earlier_round_moves_by_itself(
    service: Service, stored: Stored, supervisor: Any
) -> None:
    staff, rack = service.person(), service.rack()
    grant, serial = claim(staff, rack), f"{rack}-s"
    accepted(staff, record(grant, f"{rack}-1", serial_numbers=[serial]))
    staff.post(f"/api/sessions/{grant['session_id']}/complete")
    supervisor.post(f"/api/racks/{rack}/reverify")
    again = record(claim(staff, rack), f"{rack}-2", damage_qty=11, serial_numbers=[serial])
    settled(supervisor, kept_aside(staff, again, "invalid_quantity"), "merge", merged_data={"damage_qty": 0})
    assert stored.item_serials.find_one({"_id": serial})["client_record_id"] == f"{rack}-2"  # type: ignore[index]
    assert of_racks(stored, [rack])[f"{rack}-1"]["serial_numbers"] == [serial], "as if sync had moved it"


def test_a_merge_is_inserted_as_corrected_and_replays_of_what_was_sent_are_ok(
    service: Service, stored: Stored, supervisor: Any
) -> None:
    scene = SCENES["invalid_quantity"](service)
    (rack,) = scene.racks
    merged = {"damage_qty": 3, "item_condition": "wet", "updated_at": "2030-01-01T00:00:00Z"}
    conflict = settled(supervisor, scene.conflict_id, "merge", merged_data=merged)
    assert conflict["merged_data"] == merged | {"damage_qty": 3.0}
    row = of_racks(stored, [rack])[f"{rack}-1"]
    assert (row["verified_qty"], row["damage_qty"], row["item_condition"]) == (10, 3, "wet")
    assert answers(scene) == [([f"{rack}-1"], [])]
    staff = scene.deliveries[0][0]
    stats = staff.get(f"/api/sessions/{scene.local['session_id']}/stats").json()
    assert (stats["total_items"], stats["damage_items"]) == (1, 3)


def test_without_a_session_of_its_author_it_counts_on_the_rack_that_it_names(
    service: Service, stored: Stored, supervisor: Any
) -> None:
    scene = SCENES["unknown_session"](service)
    (rack,) = scene.racks
    settled(supervisor, scene.conflict_id, "accept_local")
    row = of_racks(stored, [rack])[f"{rack}-1"]
    assert (row["rack_id"], row["floor"], row["round"], row["session_id"]) == (rack, "Ground", 1, f"s-of-{rack}")
    assert answers(scene) == [([f"{rack}-1"], [])]


def test_without_a_known_rack_it_counts_nowhere(service: Service, stored: Stored, supervisor: Any) -> None:
    staff, rack = service.person(), service.rack()
    lost = record({"session_id": "nobody-knows", "rack_id": rack, "floor": "Attic"}, f"{rack}-1")
    settled(supervisor, kept_aside(staff, lost, "invalid_data"), "accept_local")
    row = stored.verification_records.find_one({"_id": f"{rack}-1"})
    assert row is not None
    assert (row["rack_id"], row["floor"], row["verified_qty"]) == (None, "Attic", 10)
    assert sync(staff, lost)["ok"] == [f"{rack}-1"]


def test_a_count_within_another_counters_session_replaces_theirs_and_is_seen_when_they_count_later(
    service: Service, stored: Stored, supervisor: Any
) -> None:
    scene = SCENES["foreign_session"](service)
    (rack,) = scene.racks
    settled(supervisor, scene.conflict_id, "accept_local")
    assert {id_: row["verified_qty"] for id_, row in of_racks(stored, [rack]).items()} == {f"{rack}-1": 2}
    owner, staff = scene.deliveries[0][0], scene.deliveries[1][0]
    new = record({"session_id": scene.local["session_id"], "rack_id": rack, "floor": "Ground"}, f"{rack}-3", "ITEM-3")
    settled(supervisor, kept_aside(staff, new, "invalid_data"), "accept_local")
    later = new | {"client_record_id": f"{rack}-4", "verified_qty": 5}
    kept_aside(owner, later, "concurrent_edit")
    assert broken(stored, [rack]) == []


def test_a_count_in_several_records_is_replaced_as_a_whole(service: Service, stored: Stored, supervisor: Any) -> None:
    first, second, rack = service.person(), service.person(), service.rack()
    grant = claim(first, rack)
    parts = [record(grant, f"{rack}-{n}", verified_qty=n, serial_numbers=[f"{rack}-s{n}"]) for n in (1, 2, 3)]
    sync(first, *parts)
    first.post(f"/api/racks/{rack}/release")
    theirs = record(claim(second, rack), f"{rack}-9", verified_qty=20)
    settled(supervisor, kept_aside(second, theirs, "concurrent_edit"), "accept_local")
    rows = of_racks(stored, [rack])
    assert {id_: (row["verified_qty"], row["status"]) for id_, row in rows.items()} == {
        f"{rack}-1": (20, "finalized"),
        f"{rack}-2": (None, "partial"),
        f"{rack}-3": (None, "partial"),
    }
    assert stored.record_history.count_documents({"client_record_id": {"$in": list(rows)}}) == 3
    assert broken(stored, [rack]) == []
    assert sync(first, *parts)["ok"] == [f"{rack}-{n}" for n in (1, 2, 3)]


def test_a_record_does_not_move_to_a_line_that_somebody_else_has_counted(
    service: Service, stored: Stored, supervisor: Any
) -> None:
    first, second, rack, other = service.person(), service.person(), service.rack(), service.rack()
    accepted(first, record(claim(first, rack), f"{rack}-1"))
    accepted(first, record(claim(first, other), f"{other}-1"))
    first.post(f"/api/racks/{other}/release")
    stale = record(claim(second, other), f"{rack}-1", verified_qty=5)
    conflict_id = kept_aside(second, stale, "stale_revision")
    before = contents(stored)
    reply = resolve(supervisor, conflict_id, "accept_local")
    assert reply.status_code == 409
    assert f"in record {other}-1" in reply.json()["detail"]
    assert contents(stored) == before
    settled(supervisor, conflict_id, "merge", merged_data={"bin": "9"})
    assert broken(stored, [rack, other]) == []


def test_snapshots_show_what_was_settled_and_all_other_positions_as_before(
    service: Service, stored: Stored, supervisor: Any, tmp_path: Path
) -> None:
    edit, late, serial = (SCENES[kind](service) for kind in ("concurrent_edit", "rack_locked", "duplicate_serial"))
    before = positions(stored, Lake(tmp_path / "before"))
    settled(supervisor, edit.conflict_id, "merge", merged_data=MERGED)
    settled(supervisor, late.conflict_id, "accept_local")
    settled(supervisor, serial.conflict_id, "accept_local")
    after = positions(stored, Lake(tmp_path / "after"))
    changed = {line: counted for line, counted in after.items() if before.get(line) != counted}
    assert changed == {
        (edit.racks[0], "3", "ITEM-1"): (9.0, 1.0),
        (late.racks[0], "", "ITEM-1"): (6.0, 0.0),
        (serial.racks[1], "", "ITEM-1"): (4.0, 0.0),
    }
    assert before.keys() <= after.keys()


def positions(stored: Stored, lake: Lake) -> dict[tuple[str, str, str], tuple[float, float]]:
    """What a snapshot taken now says was counted on each line."""
    taken = materialise(lake, stored, datetime.now(UTC))
    rows = pl.read_parquet(lake.files("positions", taken.snapshot_id), glob=False).to_dicts()
    lines = {(row["rack_id"], row["bin"] or "", row["item_code"]): row for row in rows}
    return {line: (row["verified_qty"], row["damage_qty"]) for line, row in lines.items()}


def test_the_audit_log_has_the_records_before_and_after(service: Service, stored: Stored, supervisor: Any) -> None:
    scene = SCENES["concurrent_edit"](service)
    (rack,) = scene.racks
    settled(supervisor, scene.conflict_id, "merge", merged_data=MERGED, resolution_note="counted again")
    (entry,) = stored.activity_logs.find({"subject": scene.conflict_id})
    assert (entry["action"], entry["username"]) == (
        "conflict.resolved",
        supervisor.get("/api/auth/me").json()["username"],
    )
    before = {
        "item_code": "ITEM-1",
        "rack_id": rack,
        "bin": "3",
        "round": 1,
        "verified_qty": 10.0,
        "damage_qty": 0.0,
        "status": "finalized",
        "serial_count": 1,
    }
    after = before | {"verified_qty": 9.0, "damage_qty": 1.0}
    assert entry["details"] == {
        "conflict_type": "concurrent_edit",
        "client_record_id": f"{rack}-2",
        "session_id": scene.local["session_id"],
        "user": scene.deliveries[1][0].get("/api/auth/me").json()["username"],
        "resolution": "merge",
        "resolution_note": "counted again",
        "records_changed": 1,
        "changes": [{"client_record_id": f"{rack}-1", "before": before, "after": after}],
    }
