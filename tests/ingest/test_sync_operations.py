"""Bodies of older devices: operations instead of records, with the same reply."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
from pymongo.database import Database

from ingest.sync.incoming import Incoming, Opening
from ingest.sync.operations import read_operation
from stockverify.vocabulary import SessionType
from stockverify.wire.sync import Rejected
from tests.service import Service, claim, record, sync

Stored = Database[dict[str, Any]]
AT = "2026-01-05T08:00:00Z"
WHEN = datetime(2026, 1, 5, 8, tzinfo=UTC)


def operation(name: str, kind: str, timestamp: Any = AT, **data: Any) -> dict[str, Any]:
    return {"id": name, "type": kind, "data": data, "timestamp": timestamp}


def post(person: httpx.Client, *operations: dict[str, Any], batch_id: str = "b-old") -> dict[str, Any]:
    reply = person.post("/api/sync/batch", json={"operations": list(operations), "batch_id": batch_id})
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def read(sent: dict[str, Any]) -> Incoming | Opening | Rejected:
    return read_operation(msgspec.Raw(msgspec.json.encode(sent)), 0)


def test_a_session_is_reached_whatever_a_device_has_named_it(service: Service) -> None:
    staff, name = service.person(), f"Süd/{service.rack()}/a b?"
    assert post(staff, operation(f"{name}-1", "session", id=name))["ok"] == [f"{name}-1"]
    path = f"/api/sessions/{quote(name, safe='')}"
    assert [staff.get(path + end).json()["session_id"] for end in ("", "/stats")] == [name, name]
    assert staff.post(f"{path}/heartbeat").json()["session_id"] == name
    assert staff.put(f"{path}/status", params={"status": "paused"}).json()["id"] == name
    assert staff.post(f"{path}/complete").json()["session_id"] == name


def test_an_offline_session_and_its_lines_are_stored_together(service: Service, stored: Stored) -> None:
    staff, name = service.person(), service.rack("off")
    body = [
        operation(f"{name}-1", "count_line", session_id=name, item_code="A", counted_qty=3),
        operation(f"{name}-2", "session", id=name, warehouse="Main", type="blind"),
        operation(f"{name}-3", "unknown_item", session_id=name, barcode="(01)07032069804988"),
        operation(f"{name}-4", "count_line", session_id=name, item_code="B", verified_qty=2, damage_qty=1, bin="7"),
    ]
    answer = post(staff, *body)
    assert [result["message"] for result in answer["results"]] == ["Stored.", "Session opened.", "Stored.", "Stored."]
    assert answer["ok"] == [f"{name}-{n}" for n in (1, 2, 3, 4)]
    assert (answer["batch_id"], answer["total_records"], answer["errors"]) == ("b-old", 4, [])
    session = stored.verification_sessions.find_one({"_id": name}) or {}
    kept = {key: session[key] for key in ("rack_id", "warehouse", "type", "status", "username")}
    me = staff.get("/api/auth/me").json()["username"]
    assert kept == {"rack_id": None, "warehouse": "Main", "type": "BLIND", "status": "open", "username": me}
    rows = {row["_id"]: row for row in stored.verification_records.find({"session_id": name})}
    assert {key: (row["item_code"], row["verified_qty"], row["status"]) for key, row in rows.items()} == {
        f"{name}-1": ("A", 3.0, "finalized"),
        f"{name}-3": ("(01)07032069804988", None, "partial"),
        f"{name}-4": ("B", 2.0, "finalized"),
    }
    assert (rows[f"{name}-3"]["unknown_item"], rows[f"{name}-3"]["gs1"]["gtin"]) == (True, "07032069804988")
    assert {row["created_at"] for row in rows.values()} == {row["updated_at"] for row in rows.values()} == {WHEN}

    assert post(staff, *body)["ok"] == answer["ok"]
    assert post(staff, *body, operation(f"{name}-5", "count_line", session_id=name, item_code="C", counted_qty=0))[
        "ok"
    ] == [*answer["ok"], f"{name}-5"], "later bodies use the session"
    assert stored.verification_sessions.count_documents({"_id": name}) == 1
    assert stored.verification_records.count_documents({"session_id": name}) == 4
    assert sync(staff, record({"session_id": name, "rack_id": None, "floor": None}, f"{name}-6", "D"))["ok"]


def test_a_rack_named_in_a_session_without_one_waits_for_a_supervisor_and_counts_there(
    service: Service, stored: Stored
) -> None:
    staff, name, boss = service.person(), service.rack("off"), service.person("supervisor")
    rack = claim(service.person(), service.rack(), "Upper")["rack_id"]
    line = operation(f"{name}-2", "count_line", session_id=name, item_code="A", counted_qty=3, rack_id=rack)
    body = [operation(f"{name}-1", "session", session_id=name, warehouse="Main"), line]
    answers = [post(staff, *body) for _ in range(2)]
    assert [answer["ok"] for answer in answers] == [[f"{name}-1"]] * 2
    (conflict,) = answers[1]["conflicts"]
    assert conflict["message"] == f"The record names rack {rack}, its session has no rack."
    assert stored.verification_records.find_one({"_id": f"{name}-2"}) is None
    settled = {"resolution": "accept_local"}
    boss.post(f"/api/sync/conflicts/{conflict['details']['conflict_id']}/resolve", json=settled).raise_for_status()
    row = stored.verification_records.find_one({"_id": f"{name}-2"}) or {}
    assert (row["rack_id"], row["floor"], row["session_id"], row["verified_qty"]) == (rack, "Upper", name, 3.0)
    assert post(staff, *body)["ok"] == [f"{name}-1", f"{name}-2"]


def test_a_session_id_of_somebody_else_is_kept_aside_with_its_lines(service: Service, stored: Stored) -> None:
    first, second, name = service.person(), service.person(), service.rack("off")
    post(first, operation(f"{name}-1", "session", session_id=name, warehouse="Main"))
    mine = [
        operation(f"{name}-2", "session", session_id=name, warehouse="Main"),
        operation(f"{name}-3", "count_line", session_id=name, item_code="A", counted_qty=3),
    ]
    answers = [post(second, *mine) for _ in range(2)]
    assert [conflict["conflict_type"] for conflict in answers[0]["conflicts"]] == ["invalid_data", "invalid_data"]
    assert answers[0]["conflicts"] == answers[1]["conflicts"]
    kinds = {row["client_record_id"]: row["entity_type"] for row in stored.sync_conflicts.find({"session_id": name})}
    assert kinds == {f"{name}-2": "verification_session", f"{name}-3": "verification_record"}


def test_a_line_of_a_claimed_rack_counts_there(service: Service, stored: Stored) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    line = operation(f"{rack}-1", "count_line", session_id=grant["session_id"], item_code="A", counted_qty=3)
    assert post(staff, line)["ok"] == [f"{rack}-1"]
    assert (stored.verification_records.find_one({"_id": f"{rack}-1"}) or {})["rack_id"] == rack


def test_one_bad_operation_costs_only_itself(service: Service) -> None:
    staff, rack = service.person(), service.rack()
    session = claim(staff, rack)["session_id"]
    answer = post(
        staff,
        operation(f"{rack}-1", "count_line", session_id=session, item_code="A", counted_qty=3),
        operation(f"{rack}-2", "teleport", session_id=session),
        operation(f"{rack}-3", "count_line", session_id=session, item_code="C", counted_qty=3),
    )
    assert answer["ok"] == [f"{rack}-1", f"{rack}-3"]
    message = (
        "operation 2 of the batch: the type 'teleport' is not known; send one of: session, count_line, unknown_item"
    )
    assert answer["errors"] == [{"client_record_id": f"{rack}-2", "error_type": "invalid_record", "message": message}]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (operation("x", "count_line", session_id="s", item_code="A"), "verified_qty"),
        (operation("x", "count_line", session_id="s", item_code="A", counted_qty=None), "status partial"),
        (operation("x", "count_line", session_id="s", item_code="A", counted_qty=1, verified_qty=2), "contradict"),
        (operation("x", "count_line", session_id="s", counted_qty=1), "item_code"),
        (operation("x", "count_line", item_code="A", counted_qty=1), "session_id"),
        (operation("x", "count_line", None, session_id="s", item_code="A", counted_qty=1), "it has no time"),
        (operation("x", "count_line", 1e300, session_id="s", item_code="A", counted_qty=1), "no possible time"),
        (operation("x", "count_line", "yesterday", session_id="s", item_code="A", counted_qty=1), "created_at"),
        (operation("x", "count_line", session_id="s", item_code={"$gt": ""}, counted_qty=1), "item_code"),
        (operation("x", "session", warehouse="Main"), "session_id"),
        (operation("x", "session", id="s", type="SECRET"), "SECRET"),
        (operation("x", "session", id="active"), "'active' is the name of a list"),
        (operation("x", "unknown_item", session_id="s"), "item_code"),
        ({"id": "x", "type": "count_line"}, "data"),
        ({"id": "x", "type": 5, "data": {}}, "type"),
        ({"id": "x", "type": "session", "data": []}, "data"),
    ],
)
def test_what_cannot_be_read_says_why(sent: dict[str, Any], why: str) -> None:
    rejected = read(sent)
    assert isinstance(rejected, Rejected)
    assert rejected.client_record_id == "x"
    assert rejected.message.startswith("operation 1 of the batch: ")
    assert why in rejected.message


@pytest.mark.parametrize("stamp", [AT, "2026-01-05T13:30:00+05:30", 1767600000, 1767600000.0, 1767600000000], ids=repr)
def test_times_come_in_three_forms(stamp: Any) -> None:
    line = read(operation("x", "count_line", stamp, session_id="s", item_code="A", counted_qty=1))
    assert isinstance(line, Incoming)
    assert (line.record.created_at, line.record.updated_at) == (WHEN, WHEN)


def test_the_times_of_the_data_come_before_the_operations_own() -> None:
    given = {"session_id": "s", "item_code": "A", "counted_qty": 1, "created_at": "2026-01-04T08:00:00Z"}
    line = read(operation("x", "count_line", 1767600000, **given))
    assert isinstance(line, Incoming)
    assert (line.record.created_at, line.record.updated_at) == (datetime(2026, 1, 4, 8, tzinfo=UTC), WHEN)


def test_ids_may_be_numbers_and_sessions_default_to_standard() -> None:
    assert read({"id": 7, "type": "session", "data": {"id": "s"}}) == Opening("7", "s", "", SessionType.STANDARD)


@pytest.mark.parametrize(("body", "status"), [({"operations": []}, 400), ({"operations": [{}] * 1001}, 413)])
def test_limits_are_those_of_records(service: Service, body: dict[str, Any], status: int) -> None:
    assert service.admin.post("/api/sync/batch", json=body).status_code == status
