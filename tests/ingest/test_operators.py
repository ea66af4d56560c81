"""Operators of the database are data wherever they are sent: never run, never a server error."""

import json
import time
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.ingest.crowd import new_user
from tests.service import Service, claim, record, sync

OPERATORS: list[Any] = [
    {"$where": "sleep(60000) || true"},
    {"$ne": None},
    {"$gt": ""},
    {"$regex": ".*"},
    {"$in": ["admin"]},
    {"$function": {"body": "function() { sleep(60000) }", "args": [], "lang": "js"}},
]
TEXTS = ["$where", "$ne", "this.a; sleep(60000)", '{"$ne": null}', "a\u0000b", "$", "..", "a.b.$"]


@pytest.fixture(autouse=True)
def at_once() -> Any:
    """Nothing may make the database sleep for the requester."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 30  # far below the 60 seconds that it would sleep, on a busy machine too


@pytest.mark.parametrize("value", OPERATORS, ids=lambda value: next(iter(value)))
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/auth/login", {"username": "admin", "password": "x"}),
        ("/api/auth/login-pin", {"username": "admin", "pin": "123456"}),
        ("/api/auth/refresh", {"refresh_token": "x"}),
        ("/api/devices/enroll", {"code": "x", "device_id": "d"}),
    ],
)
def test_an_operator_instead_of_a_text_is_400_at_the_door(
    service: Service, path: str, body: dict[str, str], value: Any
) -> None:
    for field in body:
        reply = httpx.post(service.url + path, json=body | {field: value})
        assert reply.status_code == 400, reply.text
        assert field in reply.json()["detail"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_looks_like_an_operator_finds_nobody(service: Service, text: str) -> None:
    login = httpx.post(f"{service.url}/api/auth/login", json={"username": text, "password": text})
    assert login.status_code == 401
    staff = service.admin.get("/api/auth/users", params={"after": text, "limit": 1})
    assert staff.status_code == 200


@pytest.mark.parametrize("text", TEXTS)
def test_texts_in_a_record_are_stored_as_they_are(service: Service, stored, text: str) -> None:  # type: ignore[no-untyped-def]
    staff = service.person()
    grant = claim(staff, service.rack("op"))
    name = f"{grant['session_id']}-{text}"
    answer = sync(staff, record(grant, name, item=text, bin=text, category=text, serial_numbers=[name]))
    assert answer["ok"] == [name], answer
    kept = stored.verification_records.find_one({"session_id": grant["session_id"]})
    assert (kept["item_code"], kept["bin"], kept["category"]) == (text, text, text)


@pytest.mark.parametrize("value", OPERATORS, ids=lambda value: next(iter(value)))
@pytest.mark.parametrize("field", ["client_record_id", "session_id", "rack_id", "item_code", "verified_qty", "status"])
def test_an_operator_in_a_record_costs_only_that_record(service: Service, field: str, value: Any) -> None:
    staff = service.person()
    grant = claim(staff, service.rack("op"))
    good = record(grant, f"{grant['session_id']}-good")
    bad = record(grant, f"{grant['session_id']}-bad") | {field: value}
    answer = sync(staff, bad, good)
    assert answer["ok"] == [f"{grant['session_id']}-good"]
    assert len(answer["errors"]) == 1
    assert field in answer["errors"][0]["message"]


QUERIES = [
    "/api/sessions/active?user_id={}",
    "/api/sessions/active?rack_id={}",
    "/api/sessions/?user_id={}",
    "/api/racks/available?floor={}",
    "/api/activity/?username={}",
    "/api/activity/?subject={}",
    "/api/activity/?action={}",
    "/api/reports/snapshots?created_by={}",
    "/api/reports/snapshots?tags={}",
    "/api/reports/compare?created_by={}",
    "/api/auth/users?after={}",
    "/api/devices/?after={}",
]


@pytest.mark.parametrize("query", QUERIES)
def test_operators_in_filters_find_nothing_and_run_nothing(service: Service, query: str) -> None:
    claim(service.person(), service.rack("op"))
    for value in (*(json.dumps(each) for each in OPERATORS), *TEXTS):
        reply = service.admin.get(query.format(quote(value, safe="")))
        assert reply.status_code in (200, 400), reply.text
        if reply.status_code == 200 and "after=" not in query:
            assert rows(reply) == []


def rows(reply: httpx.Response) -> list[Any]:
    body = reply.json()
    found: list[Any] = body["items"] if isinstance(body, dict) else body
    return found


@pytest.mark.parametrize("key", ["user_id[$ne]", "$where", "user_id.$ne"])
def test_operators_as_names_of_parameters_are_ignored(service: Service, key: str) -> None:
    name = new_user(service, service.rack("op"))
    reply = service.admin.get("/api/auth/users", params={key: "sleep(60000)", "after": name, "limit": 1})
    assert reply.status_code == 200


@pytest.mark.parametrize("value", OPERATORS[:5], ids=lambda value: next(iter(value)))
@pytest.mark.parametrize("field", ["floor", "take_over"])
def test_an_operator_in_a_claim_is_400(service: Service, field: str, value: Any) -> None:
    reply = service.admin.post(f"/api/racks/{service.rack('op')}/claim", json={field: value})
    assert reply.status_code == 400


@pytest.mark.parametrize(
    "filters", [{"$where": "sleep(60000)"}, {"item_code": {"$where": "sleep(60000)"}}, {"item_code": {"$ne": None}}]
)
def test_a_report_filter_knows_only_its_own_operators(service: Service, filters: Any) -> None:
    body = {"collection": "verification_records", "filters": filters}
    reply = service.admin.post("/api/reports/query/preview", json=body)
    assert reply.status_code == 400
    assert "$" in reply.json()["detail"]
