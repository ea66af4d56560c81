"""Batches over HTTP against real MongoDB (invariants 1 to 9)."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo.database import Database

from tests.service import Service, claim, record, sync

Stored = Database[dict[str, Any]]
NEVER_EQUAL = {"received_at": 0}


def contents(stored: Stored, session_id: str) -> dict[str, list[dict[str, Any]]]:
    """All that a session has stored, without the times of receipt."""
    mine = {"session_id": session_id}
    names = ("verification_records", "record_history", "sync_conflicts")
    found = {name: list(stored[name].find(mine, NEVER_EQUAL | {"created_at": 0}).sort("_id", 1)) for name in names}
    ids = [row["_id"] for row in found["verification_records"]]
    found["item_serials"] = list(stored.item_serials.find({"client_record_id": {"$in": ids}}).sort("_id", 1))
    return found


def test_the_reply_names_each_record_once_in_request_order(service: Service) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    answer = sync(
        staff,
        record(grant, f"{rack}-1", "A"),
        {"client_record_id": f"{rack}-2"},
        record(grant, f"{rack}-3", "C", damage_qty=11),
        record(grant, f"{rack}-4", "D"),
        batch_id="b-789",
    )
    assert answer.pop("processing_time_ms") >= 0
    conflict = answer["conflicts"][0]
    message = "More damaged (11) than counted (10)."
    missing = "record 2 of the batch: Object missing required field `session_id`"
    assert answer == {
        "ok": [f"{rack}-1", f"{rack}-4"],
        "conflicts": [
            {
                "client_record_id": f"{rack}-3",
                "conflict_type": "invalid_quantity",
                "message": message,
                "details": conflict["details"],
            }
        ],
        "errors": [{"client_record_id": f"{rack}-2", "error_type": "invalid_record", "message": missing}],
        "batch_id": "b-789",
        "total_records": 4,
        "results": [
            {"id": f"{rack}-1", "success": True, "message": "Stored."},
            {"id": f"{rack}-2", "success": False, "message": missing},
            {"id": f"{rack}-3", "success": False, "message": message},
            {"id": f"{rack}-4", "success": True, "message": "Stored."},
        ],
        "processed_count": 4,
        "success_count": 2,
        "failed_count": 2,
    }


@pytest.mark.parametrize("seed", range(4))
def test_delivered_often_shuffled_and_at_once_is_delivered_once(service: Service, stored: Stored, seed: int) -> None:
    rng = random.Random(seed)

    def deliver(times: int) -> dict[str, Any]:
        staff, rack = service.person(), service.rack()
        grant = claim(staff, rack)
        batches = [
            [
                record(grant, f"{rack}-{n}", f"I{n}", serial_numbers=[f"{rack}-s{n}"], damage_qty=20 if n == 7 else 0)
                for n in range(start, start + 12)
            ]
            for start in (0, 12, 24)
        ]
        deliveries = [batch for batch in batches for _ in range(times)]
        rng.shuffle(deliveries)
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda batch: sync(staff, *batch), deliveries))
        for answer in answers:
            assert len(answer["ok"]) + len(answer["conflicts"]) + len(answer["errors"]) == 12
        text = repr(contents(stored, grant["session_id"]))
        for changing in (rack, grant["session_id"], staff.get("/api/auth/me").json()["id"]):
            text = text.replace(changing, "*")
        return {"ok": sum(len(answer["ok"]) for answer in answers) // times, "kinds": shape(text)}

    assert deliver(times=5) == deliver(times=1)


def shape(text: str) -> dict[str, int]:
    """How often each stored thing appears, whatever its random ids."""
    return {word: text.count(word) for word in ("'verified_qty': 10.0", "invalid_quantity", "-s1'", "'_id': ")}


def test_sixteen_claimants_of_one_serial_number_give_one_ok(service: Service, stored: Stored) -> None:
    serial = service.rack("SN")
    people = [service.person() for _ in range(16)]
    grants = [claim(person, service.rack()) for person in people]

    def send(place: int) -> dict[str, Any]:
        return sync(people[place], record(grants[place], f"{serial}-{place}", serial_numbers=[serial]))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(16)))
    assert sum(len(answer["ok"]) for answer in answers) == 1
    kinds = [conflict["conflict_type"] for answer in answers for conflict in answer["conflicts"]]
    assert kinds == ["duplicate_serial"] * 15
    assert stored.verification_records.count_documents({"serial_numbers": serial}) == 1
    assert stored.sync_conflicts.count_documents({"local_data.serial_numbers": serial}) == 15


def test_a_conflict_is_stored_whole_and_a_replay_of_it_stores_nothing_more(service: Service, stored: Stored) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    wrong = record(grant, f"{rack}-1", damage_qty=11, item_condition="wet", mrp=9.5)
    first, second = sync(staff, wrong), sync(staff, wrong)
    assert first["conflicts"] == second["conflicts"]
    kept = stored.sync_conflicts.find_one({"client_record_id": f"{rack}-1"})
    assert kept is not None
    assert kept["local_data"]["item_condition"] == "wet"
    assert kept["local_data"]["verified_qty"] == 10.0
    assert (kept["status"], kept["conflict_type"]) == ("pending", "invalid_quantity")
    assert stored.sync_conflicts.count_documents({"client_record_id": f"{rack}-1"}) == 1
    assert stored.verification_records.count_documents({"_id": f"{rack}-1"}) == 0


def test_two_sessions_counting_one_item_in_one_bin_and_round_conflict(service: Service) -> None:
    first, second, rack = service.person(), service.person(), service.rack()
    grant = claim(first, rack)
    sync(first, record(grant, f"{rack}-1", bin="3"))
    first.post(f"/api/racks/{rack}/release")
    later = claim(second, rack)
    answer = sync(
        second,
        record(later, f"{rack}-2", bin="3", verified_qty=8),
        record(later, f"{rack}-3", bin="4", verified_qty=8),
        record(later, f"{rack}-4", verified_qty=8),
    )
    assert answer["ok"] == [f"{rack}-3", f"{rack}-4"], "another bin, and no bin, are other places"
    fields = answer["conflicts"][0]["details"]["fields"]
    assert answer["conflicts"][0]["conflict_type"] == "concurrent_edit"
    assert fields == [{"field": "verified_qty", "local_value": 8.0, "server_value": 10.0}]


def test_records_of_unknown_and_foreign_sessions_are_kept_but_never_ok(service: Service) -> None:
    staff, other, rack = service.person(), service.person(), service.rack()
    grant = claim(other, rack)
    answer = sync(
        staff,
        record(grant, f"{rack}-1"),
        record(grant | {"session_id": "nowhere"}, f"{rack}-2"),
    )
    assert answer["ok"] == []
    assert [conflict["conflict_type"] for conflict in answer["conflicts"]] == ["invalid_data", "invalid_data"]


def test_a_record_under_another_counters_id_is_a_stale_revision(service: Service, stored: Stored) -> None:
    first, second, rack = service.person(), service.person(), service.rack()
    sync(first, record(claim(first, rack), f"{rack}-1"))
    mine = claim(second, service.rack())
    answer = sync(second, record(mine, f"{rack}-1", verified_qty=3, updated_at="2030-01-01T00:00:00Z"))
    assert answer["conflicts"][0]["conflict_type"] == "stale_revision"
    assert stored.verification_records.find_one({"_id": f"{rack}-1"})["verified_qty"] == 10  # type: ignore[index]


def test_a_serial_number_moves_with_its_rack_into_a_later_round_and_is_freed_by_an_edit(
    service: Service, stored: Stored
) -> None:
    staff, supervisor, rack = service.person(), service.person("supervisor"), service.rack()
    grant = claim(staff, rack)
    serial = f"SN-{rack}"
    sync(staff, record(grant, f"{rack}-1", serial_numbers=[serial]))
    staff.post(f"/api/sessions/{grant['session_id']}/complete")
    supervisor.post(f"/api/racks/{rack}/reverify")
    again = claim(staff, rack)
    assert sync(staff, record(again, f"{rack}-2", serial_numbers=[serial]))["ok"] == [f"{rack}-2"]
    assert stored.item_serials.find_one({"_id": serial})["client_record_id"] == f"{rack}-2"  # type: ignore[index]
    edited = record(again, f"{rack}-2", serial_numbers=[], revision=2, updated_at="2026-01-05T08:00:01Z")
    assert sync(staff, edited)["ok"] == [f"{rack}-2"]
    assert stored.item_serials.find_one({"_id": serial}) is None


def test_an_unknown_item_is_accepted_and_flagged(service: Service, stored: Stored) -> None:
    staff, rack = service.person(), service.rack()
    stored.erp_items.insert_one({"rack_id": rack, "bin": "", "item_code": f"KNOWN-{rack}", "floor": "Ground"})
    grant = claim(staff, rack)
    sync(staff, record(grant, f"{rack}-1", f"KNOWN-{rack}"), record(grant, f"{rack}-2", f"NEW-{rack}"))
    flags = {row["_id"]: row["unknown_item"] for row in stored.verification_records.find({"rack_id": rack})}
    assert flags == {f"{rack}-1": False, f"{rack}-2": True}


def test_not_counted_is_null_and_never_zero(service: Service, stored: Stored) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    sync(
        staff,
        record(grant, f"{rack}-1", verified_qty=None, status="partial"),
        record(grant, f"{rack}-2", verified_qty=0),
    )
    values = {row["_id"]: row["verified_qty"] for row in stored.verification_records.find({"rack_id": rack})}
    assert values == {f"{rack}-1": None, f"{rack}-2": 0.0}
    stats = staff.get(f"/api/sessions/{grant['session_id']}/stats").json()
    assert (stats["verified_items"], stats["pending_items"], stats["total_items"]) == (1, 1, 2)


def test_operators_in_fields_are_data(service: Service, stored: Stored) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    assert sync(staff, record(grant, f"{rack}-1", "$where"), record(grant, f"{rack}-2", item_code={"$gt": ""}))[
        "ok"
    ] == [f"{rack}-1"]
    assert stored.verification_records.find_one({"_id": f"{rack}-1"})["item_code"] == "$where"  # type: ignore[index]


def test_clocks_of_devices_off_by_two_days_do_not_matter(service: Service, stored: Stored) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    for place, year in enumerate(("1999", "2099")):
        stamp = f"{year}-01-01T00:00:00Z"
        sent = record(grant, f"{rack}-{place}", f"I{place}", created_at=stamp, updated_at=stamp)
        assert sync(staff, sent)["ok"] == [f"{rack}-{place}"]
    assert stored.verification_records.count_documents({"rack_id": rack}) == 2


def test_staff_see_only_their_own_sessions(service: Service) -> None:
    staff, other, supervisor = service.person(), service.person(), service.person("supervisor")
    grant = claim(other, service.rack())
    assert staff.get(f"/api/sessions/{grant['session_id']}").status_code == 403
    assert staff.get("/api/sessions/active", params={"user_id": "u-anyone"}).json() == []
    assert staff.get("/api/sessions/").json()["total"] == 0
    assert supervisor.get(f"/api/sessions/{grant['session_id']}").json()["rack_id"] == grant["rack_id"]
    assert supervisor.get("/api/sessions/", params={"page_size": 1}).json()["total"] >= 1
    assert supervisor.get("/api/sessions/", params={"status": "nonsense"}).status_code == 400


def test_a_serial_number_corrected_offline_does_not_block_the_queue(service: Service, stored: Stored) -> None:
    staff, rack = service.person(), service.rack()
    grant, serial = claim(staff, rack), f"SN-{rack}"
    sync(staff, record(grant, f"{rack}-1", "A", serial_numbers=[serial], revision=1))
    answer = sync(
        staff,
        record(grant, f"{rack}-1", "A", serial_numbers=[], revision=2),
        record(grant, f"{rack}-2", "B", serial_numbers=[serial], revision=1),
    )
    assert answer["ok"] == [f"{rack}-1", f"{rack}-2"]
    assert stored.item_serials.find_one({"_id": serial})["client_record_id"] == f"{rack}-2"  # type: ignore[index]
    again = [
        record(grant, f"{rack}-2", "B", serial_numbers=[], revision=2),
        record(grant, f"{rack}-2", "B", serial_numbers=[serial], revision=3),
    ]
    assert sync(staff, *again)["ok"] == [f"{rack}-2"] * 2
    assert stored.item_serials.find_one({"_id": serial})["client_record_id"] == f"{rack}-2"  # type: ignore[index]


def test_times_with_microseconds_are_replayed_like_others(service: Service, stored: Stored) -> None:
    staff, rack = service.person(), service.rack()
    fine = record(claim(staff, rack), f"{rack}-1", updated_at="2026-01-05T08:00:00.123456Z")
    messages = [sync(staff, fine)["results"][0]["message"] for _ in range(3)]
    assert messages == ["Stored.", "Stored before.", "Stored before."]
    assert stored.record_history.count_documents({"client_record_id": f"{rack}-1"}) == 0


@pytest.mark.parametrize("field", ["created_at", "updated_at"])
@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T08:00:00Z"])
def test_an_impossible_time_costs_only_its_record(service: Service, field: str, instant: str) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    answer = sync(staff, record(grant, f"{rack}-1", "A", **{field: instant}), record(grant, f"{rack}-2", "B"))
    assert answer["ok"] == [f"{rack}-2"]
    assert field in answer["errors"][0]["message"]


def test_a_batch_with_very_many_serial_numbers_is_too_large(service: Service) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    many = [record(grant, f"{rack}-{n}", serial_numbers=[f"{rack}-{n}-{m}" for m in range(1000)]) for n in range(21)]
    reply = staff.post("/api/sync/batch", json={"records": many})
    assert reply.status_code == 413
    assert "serial numbers" in reply.json()["detail"]


def test_ids_that_are_no_text_are_echoed_so_that_the_device_finds_them(service: Service) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    answer = sync(staff, record(grant, "x") | {"client_record_id": 7}, record(grant, "y" * 300))
    assert [error["client_record_id"] for error in answer["errors"]] == ["7", "y" * 300]
