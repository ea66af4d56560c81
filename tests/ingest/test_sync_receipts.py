"""Receipts: a replayed body is answered from one document, and nothing else is ever decided by it."""

import gzip
import json
from typing import Any

import httpx
from pymongo.database import Database

from tests.service import Service, claim, record, sync

Stored = Database[dict[str, Any]]
WRITTEN = ("verification_records", "record_history", "sync_conflicts", "rack_registry", "item_serials", "sync_batches")


def everything(stored: Stored) -> dict[str, list[dict[str, Any]]]:
    """All that a batch may write to."""
    return {name: list(stored[name].find().sort("_id", 1)) for name in WRITTEN}


def receipts(person: httpx.Client, batch_id: str) -> list[dict[str, Any]]:
    reply = person.get(f"/api/sync/batches/{batch_id.replace('/', '%2F')}")
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()
    return found


def test_a_replayed_body_writes_nothing_and_is_ok(service: Service, stored: Stored) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    body = [record(grant, f"{rack}-{n}", f"I{n}", serial_numbers=[f"{rack}-{n}"]) for n in range(5)]
    first = sync(staff, *body, batch_id=rack)
    before = everything(stored)
    again = sync(staff, *body, batch_id=rack)
    assert everything(stored) == before
    assert (again["ok"], again["batch_id"], again["total_records"]) == (first["ok"], rack, 5)
    assert {result["message"] for result in again["results"]} == {"Stored before."}
    packed = gzip.compress(json.dumps({"records": body, "batch_id": rack}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert staff.post("/api/sync/batch", content=packed, headers=headers).json()["ok"] == first["ok"]
    assert {name: rows for name, rows in everything(stored).items() if name != "sync_batches"} == {
        name: rows for name, rows in before.items() if name != "sync_batches"
    }


def test_a_receipt_answers_without_a_look_at_the_records(service: Service, stored: Stored) -> None:
    staff, rack = service.person(), service.rack()
    body = [record(claim(staff, rack), f"{rack}-1")]
    sync(staff, *body, batch_id=rack)
    stored.verification_records.update_one({"_id": f"{rack}-1"}, {"$set": {"digest": b"changed"}})
    assert sync(staff, *body, batch_id=rack)["ok"] == [f"{rack}-1"]
    other = sync(staff, *body, batch_id=f"{rack}-other")
    assert [conflict["conflict_type"] for conflict in other["conflicts"]] == ["stale_revision"]


def test_other_content_under_the_same_batch_id_is_stored(service: Service, stored: Stored) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    assert sync(staff, record(grant, f"{rack}-1", "A"), batch_id=rack)["ok"] == [f"{rack}-1"]
    assert sync(staff, record(grant, f"{rack}-2", "B"), batch_id=rack)["ok"] == [f"{rack}-2"]
    assert stored.verification_records.count_documents({"rack_id": rack}) == 2
    assert [receipt["records"] for receipt in receipts(staff, rack)] == [1, 1]


def test_the_same_body_of_another_person_has_no_receipt(service: Service) -> None:
    staff, other, rack = service.person(device="phone"), service.person(), service.rack()
    body = [record(claim(staff, rack), f"{rack}-1")]
    assert sync(staff, *body, batch_id=rack)["ok"] == [f"{rack}-1"]
    assert [conflict["conflict_type"] for conflict in sync(other, *body, batch_id=rack)["conflicts"]] == [
        "invalid_data"
    ]


def test_a_receipt_tells_what_became_of_the_batch(service: Service) -> None:
    staff, other, auditor, rack = service.person(), service.person(), service.person("auditor"), service.rack()
    grant = claim(staff, rack)
    batch_id = f"{rack}/1"
    bodies = [
        record(grant, f"{rack}-1", "A"),
        record(grant, f"{rack}-2", "B", damage_qty=11),
        {"client_record_id": "x"},
    ]
    for _ in range(2):
        sync(staff, *bodies, batch_id=batch_id)
    (receipt,) = receipts(staff, batch_id)
    assert receipt.pop("received_at") > 1.7e9
    assert receipt == {
        "batch_id": batch_id,
        "records": 3,
        "ok": 1,
        "conflicts": 1,
        "errors": 1,
        "session_ids": [grant["session_id"]],
        "rack_ids": [rack],
        "username": staff.get("/api/auth/me").json()["username"],
        "device_id": "",
    }
    assert len(receipts(auditor, batch_id)) == 1
    refused = other.get(f"/api/sync/batches/{rack}%2F1")
    assert (refused.status_code, "No receipt" in refused.json()["detail"]) == (404, True)


def test_a_batch_that_stores_nothing_leaves_no_receipt(service: Service) -> None:
    staff, rack = service.person(), service.rack()
    sync(staff, {"client_record_id": "x"}, batch_id=rack)
    assert staff.get(f"/api/sync/batches/{rack}").status_code == 404
