"""Accounts as admins see and change them."""

from typing import Any

import httpx
import pytest

from stockverify.settings import Settings
from tests.ingest.crowd import at_once, log_in, may_come_in, new_user, pin_in, statuses
from tests.service import Service, running_service


def change(service: Service, name: str, **fields: Any) -> httpx.Response:
    return service.admin.patch(f"/api/auth/users/{name}", json=fields)


def test_the_list_of_accounts_shows_no_secret(service: Service) -> None:
    names = [new_user(service, f"list-{n}", pin="1234") for n in range(3)]
    page = service.admin.get("/api/auth/users", params={"after": "list-", "limit": 2})
    assert [user["username"] for user in page.json()] == names[:2]
    shown = {"id", "username", "full_name", "role", "email", "is_active", "permissions", "floors"}
    assert page.json()[0].keys() == shown
    assert service.person("auditor").get("/api/auth/users").status_code == 200
    assert service.person("supervisor").get("/api/auth/users").status_code == 403


@pytest.mark.parametrize(
    ("fields", "stays"),
    [
        ({"is_active": False}, 401),
        ({"role": "supervisor"}, 401),
        ({"password": "another password"}, 401),
        ({"full_name": "New Name", "email": "new@example.com"}, 200),
        ({"role": "staff", "is_active": True}, 200),
        ({"pin": "2468"}, 200),
        ({}, 200),
    ],
)
def test_losing_role_password_or_account_ends_all_logins_at_once(
    service: Service, fields: dict[str, Any], stays: int
) -> None:
    name = new_user(service, service.rack("acc"))
    logins = [log_in(service, name), log_in(service, name, **{"X-Device-ID": "d"})]
    reply = change(service, name, **fields)
    assert reply.status_code == 200
    shown = {key: value for key, value in fields.items() if key not in ("password", "pin")}
    assert reply.json() == reply.json() | shown
    assert [may_come_in(service, login) for login in logins] == [stays, stays]
    body = {"refresh_token": logins[0].json()["data"]["refresh_token"]}
    assert httpx.post(f"{service.url}/api/auth/refresh", json=body).status_code == stays


def test_a_new_password_and_a_new_pin_work_and_the_old_ones_do_not(service: Service) -> None:
    name = new_user(service, "renewed", pin="1234")
    change(service, name, password="another password", pin="987654").raise_for_status()
    assert (log_in(service, name).status_code, pin_in(service, "1234", name).status_code) == (401, 401)
    assert log_in(service, name, "another password").status_code == 200
    assert pin_in(service, "987654", name).status_code == 200
    change(service, name, pin=None).raise_for_status()
    assert pin_in(service, "987654", name).status_code == 401


def test_a_new_password_ends_a_lock(service: Service) -> None:
    name = new_user(service, "forgetful")
    assert [log_in(service, name, "wrong").status_code for _ in range(6)] == [401] * 5 + [429]
    change(service, name, password="another password").raise_for_status()
    assert log_in(service, name, "another password").status_code == 200


def test_changes_are_in_the_audit_log_without_secrets(service: Service, stored) -> None:  # type: ignore[no-untyped-def]
    name = new_user(service, "watched")
    change(service, name, role="auditor", password="another password", pin="135790", full_name="W").raise_for_status()
    entries = list(stored.activity_logs.find({"subject": name}, sort=[("at", 1)]))
    assert [(entry["action"], entry["username"], entry["details"]) for entry in entries] == [
        ("user.made", "admin", {"role": "staff"}),
        ("user.changed", "admin", {"role_before": "staff", "role": "auditor", "changed": "full_name, password, pin"}),
    ]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"role": "king"}, "role"),
        ({"password": "short"}, "password"),
        ({"pin": "12"}, "pin"),
        ({"is_active": "perhaps"}, "is_active"),
    ],
)
def test_a_wrong_field_is_400_and_named(service: Service, fields: dict[str, Any], named: str) -> None:
    reply = change(service, new_user(service, service.rack("bad")), **fields)
    assert reply.status_code == 400
    assert named in reply.json()["detail"]


def test_a_user_who_does_not_exist_is_404(service: Service) -> None:
    assert change(service, "no/such user", full_name="X").status_code == 404


def test_of_two_admins_who_remove_each_other_at_once_one_stays(settings: Settings, mongo) -> None:  # type: ignore[no-untyped-def]
    fields = {"is_active": False}
    with running_service(settings, processes=2) as service:
        alone = change(service, "admin", **fields)
        assert (alone.status_code, alone.json()["detail"]) == (
            409,
            "This is the last active admin; make another one first.",
        )
        second = service.person("admin")
        name = second.get("/api/auth/me").json()["username"]
        calls = [(service.admin, name), (second, "admin")]
        replies = at_once(2, lambda n: calls[n][0].patch(f"/api/auth/users/{calls[n][1]}", json=fields))
        users = mongo[settings.mongodb_database].users
        assert users.count_documents({"role": "admin", "is_active": True}) == 1
        assert statuses(replies)[200] == 1
