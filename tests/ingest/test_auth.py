"""Logging in, tokens and roles."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from litestar.routes import HTTPRoute

from ingest import access
from ingest.app import create_app
from ingest.auth import rules
from stockverify.settings import Settings
from tests.service import PASSWORD, Service


def test_login_gives_tokens_and_the_user(service: Service) -> None:
    staff = service.person("staff")
    me = staff.get("/api/auth/me").json()
    body = {"username": me["username"], "password": PASSWORD}
    reply = httpx.post(f"{service.url}/api/auth/login", json=body).json()
    data = reply["data"]
    assert reply["success"] is True
    assert data["token_type"] == "bearer"
    assert data["expires_in"] == 900
    assert data["user"] == {
        "id": me["id"],
        "username": me["username"],
        "full_name": me["username"].title(),
        "role": "staff",
        "email": None,
        "is_active": True,
        "permissions": ["count"],
    }


@pytest.mark.parametrize("body", [{"username": "admin", "password": "x"}, {"username": "nobody", "password": "x"}])
def test_a_wrong_login_is_401_and_does_not_say_which_part(service: Service, body: dict[str, str]) -> None:
    reply = httpx.post(f"{service.url}/api/auth/login", json=body)
    assert reply.status_code == 401
    assert reply.json()["detail"] == "The user name or the password is wrong, or the account is disabled."


def test_a_refresh_token_works_once(service: Service) -> None:
    name = service.person().get("/api/auth/me").json()["username"]
    login = httpx.post(f"{service.url}/api/auth/login", json={"username": name, "password": PASSWORD}).json()["data"]
    first = httpx.post(f"{service.url}/api/auth/refresh", json={"refresh_token": login["refresh_token"]})
    again = httpx.post(f"{service.url}/api/auth/refresh", json={"refresh_token": login["refresh_token"]})
    assert (first.status_code, again.status_code) == (200, 401)
    fresh = first.json()["data"]
    header = {"Authorization": f"Bearer {fresh['access_token']}"}
    assert httpx.get(f"{service.url}/api/auth/me", headers=header).status_code == 200
    next_one = httpx.post(f"{service.url}/api/auth/refresh", json={"refresh_token": fresh["refresh_token"]})
    assert next_one.status_code == 200


def test_after_logout_access_and_refresh_tokens_are_dead(service: Service) -> None:
    staff = service.person()
    assert staff.post("/api/auth/logout").json() == {"success": True}
    assert staff.get("/api/auth/me").status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic YTpi"])
def test_a_bad_token_is_401_with_a_reason(service: Service, header: str) -> None:
    reply = httpx.get(f"{service.url}/api/auth/me", headers={"Authorization": header} if header else {})
    assert reply.status_code == 401
    assert reply.json()["detail"].startswith("The access token is ")


def test_a_token_from_a_host_whose_clock_is_ahead_is_good() -> None:
    now = datetime.now(UTC)
    token = rules.sign(rules.Claims("u-1", "l-1"), "s" * 32, now + timedelta(seconds=5), 900)
    assert rules.verify(token, "s" * 32) == rules.Claims("u-1", "l-1")
    old = rules.sign(rules.Claims("u-1", "l-1"), "s" * 32, now - timedelta(seconds=1000), 900)
    with pytest.raises(rules.BadToken, match="expired"):
        rules.verify(old, "s" * 32)


def test_only_admins_make_users_and_names_are_unique(service: Service) -> None:
    body = {"username": "twice", "password": PASSWORD, "full_name": "Twice", "role": "staff"}
    assert service.person("supervisor").post("/api/auth/register", json=body).status_code == 403
    assert service.admin.post("/api/auth/register", json=body).status_code == 201
    assert service.admin.post("/api/auth/register", json=body).status_code == 409


def test_passwords_are_stored_as_argon2_and_tokens_as_hashes(service: Service, stored) -> None:  # type: ignore[no-untyped-def]
    service.person()
    for user in stored.users.find():
        assert user["password_hash"].startswith("$argon2id$")
        assert PASSWORD not in repr(user)


def test_every_operation_has_an_access_rule_and_every_rule_an_operation() -> None:
    app = create_app(Settings(mongodb_uri="mongodb://127.0.0.1:1", redis_url="redis://127.0.0.1:1"))
    routes = [route for route in app.routes if isinstance(route, HTTPRoute)]
    names = {
        handler.name
        for route in routes
        for handler in route.route_handlers
        if not route.path.startswith("/schema") and "OPTIONS" not in handler.http_methods
    }
    assert names == set(access.OPERATIONS)


@pytest.mark.parametrize("role", ["auditor"])
def test_an_auditor_changes_nothing(service: Service, role: str) -> None:
    auditor = service.person(role)
    rack = service.rack()
    assert auditor.post(f"/api/racks/{rack}/claim", json={}).status_code == 403
    assert auditor.post("/api/sync/batch", json={"records": [{}]}).status_code == 403
    assert auditor.get("/api/racks/available").status_code == 200
