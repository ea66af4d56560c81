"""No secret gets into a log, whatever is sent and wherever it stands."""

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import httpx
import msgspec
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from stockverify.settings import Settings
from tests.ingest.crowd import new_user
from tests.service import ADMIN_PASSWORD, PASSWORD, Service, running_service

PIN, WRONG_PIN, NEW_PIN = "836251", "915037", "447193"
TYPED = "hunter2-typed-in-the-wrong-field"


@pytest.fixture
def loud(settings: Settings) -> Settings:
    """Settings of a process that logs all it can."""
    return msgspec.structs.replace(settings, log_level="DEBUG", secret="the-key-that-signs-all-tokens-of-this-test")


def test_a_service_that_logs_everything_logs_no_secret(loud: Settings, mongo: Any) -> None:
    with running_service(loud) as service:
        secrets = traffic(service, mongo[loud.mongodb_database])
        logs = [Path(child.spec.log) for child in service.children]
    said = "\n".join(path.read_text() for path in logs)
    assert len(said.splitlines()) > 30, "it logged what went on"
    assert "unexpected_error" in said, "a traceback is among it"
    secrets |= {password_of(loud.mongodb_uri), password_of(loud.redis_address()), loud.secret or "", ADMIN_PASSWORD}
    assert {name for name in secrets if len(name) < 6} == set(), "too short to be sure about"
    assert {secret for secret in secrets if secret in said} == set()


def password_of(url: str | None) -> str:
    found = urlparse(url or "").password
    assert found
    return found


def traffic(service: Service, database: Any) -> set[str]:
    """Every way to hand a secret to the service, right and wrong; the secrets that were used."""
    name = new_user(service, "whisper", pin=PIN)
    device = enrolled(service, name)
    held = {"X-Device-ID": device["device_id"], "X-Device-Token": device["device_token"]}
    with httpx.Client(base_url=service.url, headers=held, timeout=20) as client:
        logins, renewed = log_in(client.post, name)
        service.admin.patch(f"/api/auth/users/{name}", json={"pin": NEW_PIN}).raise_for_status()
        wrong(client.post, name)
    secrets = {secret for login in (*logins, renewed) for secret in tokens(login)}
    access = tokens(logins[1])[0]
    odd_places(service, access, PIN)
    listen(service, access)
    broken(service, database, name)
    return secrets | {PASSWORD, PIN, WRONG_PIN, NEW_PIN, TYPED, device["code"], device["device_token"]}


def log_in(post: Any, name: str) -> tuple[list[httpx.Response], httpx.Response]:
    logins = [
        post("/api/auth/login", json={"username": name, "password": PASSWORD}),
        post("/api/auth/login-pin", json={"username": name, "pin": PIN}),
        post("/api/auth/login-pin", json={"pin": PIN}),
    ]
    refresh = {"refresh_token": logins[0].json()["data"]["refresh_token"]}
    renewed = post("/api/auth/refresh", json=refresh)
    assert post("/api/auth/refresh", json=refresh).status_code == 401
    return logins, renewed


def enrolled(service: Service, name: str) -> dict[str, str]:
    code = service.admin.post("/api/devices/codes", json={"name": "Scanner", "usernames": [name]}).json()["code"]
    device = httpx.post(f"{service.url}/api/devices/enroll", json={"code": code})
    assert httpx.post(f"{service.url}/api/devices/enroll", json={"code": code}).status_code == 401
    return {"code": code, **device.json()}


def tokens(reply: httpx.Response) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [reply.json()["data"][name] for name in ("access_token", "refresh_token")]


def wrong(post: Any, name: str) -> None:
    """Wrong secrets, until the account is locked, and what people type into the wrong field."""
    for _ in range(4):
        post("/api/auth/login-pin", json={"username": name, "pin": WRONG_PIN})
        post("/api/auth/login-pin", json={"pin": WRONG_PIN})
        post("/api/auth/login", json={"username": name, "password": TYPED})
        post("/api/auth/login", json={"username": TYPED, "password": "x"})
    assert post("/api/auth/login", json={"username": name, "password": TYPED}).status_code == 429


def odd_places(service: Service, access: str, pin: str) -> None:
    """In the query, as a key, in a header of the wrong kind, in a body that cannot be read."""
    for secret in (access, TYPED, pin):
        get, post = httpx.get, httpx.post
        get(f"{service.url}/api/auth/me", params={"token": secret})
        get(f"{service.url}/api/auth/me", headers={"Authorization": f"Token {secret}"})
        get(f"{service.url}/api/auth/me", headers={"Authorization": f"Bearer {secret}x"})
        get(f"{service.url}/api/health", headers={"X-Request-ID": f"{secret} {secret}", "Cookie": f"t={secret}"})
        post(f"{service.url}/api/auth/login", json={secret: secret})
        post(f"{service.url}/api/auth/login", json={"username": {secret: secret}, "password": [secret]})
        post(f"{service.url}/api/auth/login", content=f'{{"username": "{secret}"'.encode())
        post(f"{service.url}/api/auth/login-pin", json={"username": "x", "pin": secret + "0000000"})
        post(f"{service.url}/api/auth/refresh", json={"refresh_token": secret})
        post(f"{service.url}/api/devices/enroll", json={"code": secret[:30]})
        service.admin.post("/api/sync/batch", json={"records": [{"client_record_id": "c", "session_id": secret}]})


def listen(service: Service, access: str) -> None:
    """A WebSocket carries its token in a header that libraries like to log."""
    url = service.url.replace("http", "ws") + "/ws/updates"
    for token in (access, access + "x"):
        try:
            with connect(url, subprotocols=["jwt", token], open_timeout=5) as socket:  # type: ignore[list-item]
                socket.recv(timeout=1)
        except (WebSocketException, TimeoutError, OSError):
            continue


def broken(service: Service, database: Any, name: str) -> None:
    """A 500, whose traceback passes through functions that hold secrets."""
    database.users.update_one({"username": name}, {"$unset": {"role": ""}})
    database.login_attempts.delete_many({})
    reply = httpx.post(f"{service.url}/api/auth/login", json={"username": name, "password": PASSWORD})
    assert reply.status_code == 500, reply.text
    assert PASSWORD not in reply.text


def test_every_line_of_a_loud_log_is_json(loud: Settings) -> None:
    with running_service(loud) as service:
        service.admin.get("/api/auth/me")
        log = Path(service.children[0].spec.log)
    lines = log.read_text().splitlines()
    assert lines
    assert [line for line in lines if not isinstance(json.loads(line), dict)] == []


def test_neither_secrets_of_the_settings_nor_default_passwords_are_in_the_code() -> None:
    root = Path(__file__).parent.parent.parent
    given = re.compile(r"""(?:password|secret|pin)\s*[:=]\s*["'][^"'{}<>$%]+["']""", re.IGNORECASE)
    packages = ("stockverify", "ingest", "analytics", "jobs", "dashboard")
    sources = [path for package in packages for path in (root / package).rglob("*.py")]
    found = {f"{path.relative_to(root)}: {match}" for path in sources for match in given.findall(path.read_text())}
    assert found == set()
    assert os.environ.get("STOCKVERIFY_ADMIN_PASSWORD") is None
