"""Every error of every route is problem+json with a readable detail and a request id."""

import gzip

import httpx
import pytest
import zstandard

from ingest import bodies
from tests.service import Service, claim, record, sync


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nowhere", 404),
        ("GET", "/", 404),
        ("DELETE", "/api/auth/me", 405),
        ("GET", "/api/auth/me", 401),
        ("POST", "/api/sync/batch", 401),
        ("POST", "/api/auth/login", 400),
    ],
)
def test_errors_without_a_token(service: Service, method: str, path: str, status: int) -> None:
    reply = httpx.request(method, service.url + path)
    assert reply.status_code == status
    assert reply.headers["content-type"].startswith("application/problem+json")
    assert reply.json()["status"] == status
    assert reply.json()["detail"]
    assert reply.headers["x-request-id"]


def test_a_wrong_field_is_named(service: Service) -> None:
    reply = service.admin.post("/api/auth/register", json={"username": "a b", "password": PASSWORD_OK})
    assert reply.status_code == 400
    assert "username" in reply.json()["detail"]


PASSWORD_OK = "long enough"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "The body is not a sync batch"),
        (b"{", "The body is not a sync batch"),
        (b"[]", "The body is not a sync batch"),
        (b'{"records": 1}', "The body is not a sync batch"),
        (b"{}", "the field `records` is missing"),
        (b'{"records": []}', "The batch holds no records"),
        (b"\xff\xfe", "The body is not a sync batch"),
        (b"[" * 100_000, "The body is not a sync batch"),
    ],
)
def test_a_body_that_is_no_batch_is_400(service: Service, body: bytes, detail: str) -> None:
    reply = service.admin.post("/api/sync/batch", content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400
    assert detail in reply.json()["detail"]


def test_more_than_a_thousand_records_are_413(service: Service) -> None:
    reply = service.admin.post("/api/sync/batch", json={"records": [{}] * 1001})
    assert reply.status_code == 413


@pytest.mark.parametrize(("encoding", "encode"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
def test_encoded_bodies_are_read(service: Service, encoding: str, encode) -> None:  # type: ignore[no-untyped-def]
    staff = service.person()
    grant = claim(staff, service.rack())
    plain = httpx.Request("POST", service.url, json={"records": [record(grant, f"enc-{encoding}")]}).content
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    reply = staff.post("/api/sync/batch", content=encode(plain), headers=headers)
    assert reply.json()["ok"] == [f"enc-{encoding}"]


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", gzip.compress(b"0" * (bodies.MAX_DECODED + 1)), 413),
        ("zstd", zstandard.compress(b"0" * (bodies.MAX_DECODED + 1)), 413),
        ("gzip", b"x" * (bodies.MAX_ENCODED + 1), 413),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-9], 400),
        ("gzip", b"not gzip", 400),
        ("zstd", b"not zstd", 400),
        ("br", b"{}", 400),
    ],
)
def test_bombs_and_wrong_encodings(service: Service, encoding: str, body: bytes, status: int) -> None:
    reply = service.admin.post("/api/sync/batch", content=body, headers={"Content-Encoding": encoding})
    assert reply.status_code == status, reply.text


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"verified_qty": "ten"}, "verified_qty"),
        ({"verified_qty": None}, "status partial"),
        ({"verified_qty": 1e308}, "verified_qty"),
        ({"item_code": ""}, "item_code"),
        ({"item_code": "x" * 129}, "item_code"),
        ({"updated_at": "yesterday"}, "updated_at"),
        ({"status": "done"}, "status"),
        ({"serial_numbers": ["s"] * 1001}, "serial_numbers"),
        ({"session_id": 7}, "session_id"),
        ({"revision": -1}, "revision"),
    ],
)
def test_one_bad_record_costs_only_itself(service: Service, change: dict[str, object], why: str) -> None:
    staff = service.person()
    grant = claim(staff, service.rack())
    key = f"{grant['session_id']}-{why}-{len(str(change))}"
    answer = sync(
        staff, record(grant, f"{key}-1", "A"), record(grant, f"{key}-2", "B", **change), record(grant, f"{key}-3", "C")
    )
    assert answer["ok"] == [f"{key}-1", f"{key}-3"]
    assert [(error["client_record_id"], error["error_type"]) for error in answer["errors"]] == [
        (f"{key}-2", "invalid_record")
    ]
    assert why in answer["errors"][0]["message"]
    assert [result["id"] for result in answer["results"]] == [f"{key}-1", f"{key}-2", f"{key}-3"]


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"username": "\xff", "password": "x"}', b"{"])
@pytest.mark.parametrize("path", ["/api/auth/login", "/api/racks/R1/claim", "/api/reports/query/preview"])
def test_bodies_that_cannot_be_read_are_400_everywhere(service: Service, path: str, body: bytes) -> None:
    reply = service.admin.post(path, content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code in (400, 413), reply.text
    assert reply.headers["content-type"].startswith("application/problem+json")


def test_any_call_takes_encoded_bodies_and_strangers_get_a_small_limit(service: Service) -> None:
    packed = gzip.compress(b'{"floor": null, ') + gzip.compress(b'"take_over": null}')
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    reply = service.person().post(f"/api/racks/{service.rack()}/claim", content=packed, headers=headers)
    assert reply.status_code == 200, reply.text
    bomb = gzip.compress(b" " * (bodies.MAX_STRANGE + 1))
    assert httpx.post(f"{service.url}/api/auth/login", content=bomb, headers=headers).status_code == 413
