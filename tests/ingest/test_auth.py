"""Logging in, tokens and roles."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ingest.auth import rules
from tests.service import PASSWORD, Service


def test_login_gives_tokens_and_the_user(service: Service) -> None:
    staff = service.person("staff")
    me = staff.get("/api/auth/me").json()
    body = {"username": me["username"], "password": PASSWORD}
    reply = httpx.post(f"{service.url}/api/auth/login", json=body).json()
    data = reply["data"]
    assert reply["success"] is True
    assert data["token_type"] == "bearer"
    assert data["expires_in"] == service.settings.access_token_ttl
    assert data["user"] == {
        "id": me["id"],
        "username": me["username"],
        "full_name": me["username"].title(),
        "role": "staff",
        "email": None,
        "is_active": True,
        "permissions": ["count"],
        "floors": [],
    }


@pytest.mark.parametrize("body", [{"username": "admin", "password": "x"}, {"username": "nobody", "password": "x"}])
def test_a_wrong_login_is_401_and_does_not_say_which_part(service: Service, body: dict[str, str]) -> None:
    reply = httpx.post(f"{service.url}/api/auth/login", json=body)
    assert reply.status_code == 401
    assert reply.json()["detail"] == "The user name or the password is wrong, or the account is disabled."


def test_a_refresh_token_works_once(service: Service) -> None:
    name = service.person().get("/api/auth/me").json()["username"]
    login = httpx.post(f"{service.url}/api/auth/login", json={"username": name, "password": PASSWORD}).json()["data"]
    first = refreshed(service, login["refresh_token"])
    assert first.status_code == 200
    fresh = first.json()["data"]
    assert may_come_in(service, fresh["access_token"])
    next_one = refreshed(service, fresh["refresh_token"])
    assert next_one.status_code == 200
    assert refreshed(service, login["refresh_token"]).status_code == 401
    assert refreshed(service, next_one.json()["data"]["refresh_token"]).status_code == 200


def test_a_refresh_token_that_is_used_again_ends_the_login_of_thief_and_owner(service: Service, stored) -> None:  # type: ignore[no-untyped-def]
    name = service.person().get("/api/auth/me").json()["username"]
    login = httpx.post(f"{service.url}/api/auth/login", json={"username": name, "password": PASSWORD}).json()["data"]
    other = httpx.post(f"{service.url}/api/auth/login", json={"username": name, "password": PASSWORD}).json()["data"]
    fresh = refreshed(service, login["refresh_token"]).json()["data"]
    again = refreshed(service, login["refresh_token"])
    assert again.status_code == 401
    assert again.json()["detail"] == "The refresh token is expired, revoked or was used before; log in again."
    assert refreshed(service, fresh["refresh_token"]).status_code == 401
    assert not may_come_in(service, fresh["access_token"])
    assert may_come_in(service, other["access_token"]), "the person's other logins stay"
    assert stored.activity_logs.count_documents({"action": "auth.token_reused", "username": name}) == 1


def refreshed(service: Service, token: str) -> httpx.Response:
    return httpx.post(f"{service.url}/api/auth/refresh", json={"refresh_token": token})


def may_come_in(service: Service, token: str) -> bool:
    reply = httpx.get(f"{service.url}/api/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code in (200, 401)
    return reply.status_code == 200


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
