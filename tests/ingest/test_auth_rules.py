"""Pure decisions about logins: which are kept, where they may be used, and what a change of an account means."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import UNSET

from ingest.auth import changes, rules
from ingest.auth.changes import Hashed, LastAdmin
from stockverify.vocabulary import Role
from stockverify.wire.auth import ChangeUser

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def login(device: str, name: str = "", seconds: int = 60) -> dict[str, Any]:
    return {"login_id": name or device, "device_id": device, "expires_at": NOW + timedelta(seconds=seconds)}


def names(logins: list[dict[str, Any]]) -> list[str]:
    return [each["login_id"] for each in logins]


def test_a_hundred_devices_of_one_person_keep_their_logins_when_one_logs_in_again() -> None:
    devices = [login(f"d{n}") for n in range(100)]
    kept = rules.kept_logins(devices, login("d50", "again"), NOW)
    assert names(kept) == [f"d{n}" for n in range(100) if n != 50] + ["again"]


def test_logins_that_have_ended_go_first_and_then_the_oldest() -> None:
    old = [login("", "ended", -1), login("", "oldest"), *(login("", f"l{n}") for n in range(99))]
    assert names(rules.kept_logins(old, login("", "new"), NOW)) == [f"l{n}" for n in range(99)] + ["new"]


@pytest.mark.parametrize(
    ("made_on", "enrolled", "role", "used_on", "required", "outcome"),
    [
        ("A", False, Role.STAFF, "A", False, False),
        ("A", False, Role.STAFF, "B", False, True),
        ("A", False, Role.STAFF, "", False, False),
        ("", False, Role.STAFF, "B", False, True),
        ("A", True, Role.STAFF, "A", True, False),
        ("A", True, Role.STAFF, "B", True, rules.NotThisDevice),
        ("A", True, Role.STAFF, "", True, rules.NotThisDevice),
        ("A", False, Role.STAFF, "A", True, rules.BadToken),
        ("", False, Role.ADMIN, "", True, False),
        ("", False, Role.ADMIN, "B", True, rules.NotThisDevice),
    ],
)
def test_where_a_login_may_be_used(
    made_on: str, enrolled: bool, role: Role, used_on: str, required: bool, outcome: bool | type[Exception]
) -> None:
    made = login(made_on) | {"enrolled": enrolled}
    if isinstance(outcome, bool):
        assert rules.check_use(made, role, used_on, required) is outcome
    else:
        with pytest.raises(outcome):
            rules.check_use(made, role, used_on, required)


def test_hashes_of_other_parameters_still_fit_and_are_outdated() -> None:
    old = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43
    assert rules.is_outdated(old)
    fresh = rules.hash_password("secret")
    assert fresh.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not rules.is_outdated(fresh)


def user(role: str = "staff", active: bool = True) -> dict[str, Any]:
    return {"role": role, "is_active": active, "logins": [login("d1")]}


ENDS = {"logins": [], "changed_at": NOW}


@pytest.mark.parametrize(
    ("request_", "hashed", "written"),
    [
        (ChangeUser(), Hashed(None, None), {}),
        (ChangeUser(full_name="Ann"), Hashed(None, None), {"full_name": "Ann"}),
        (ChangeUser(role=Role.STAFF), Hashed(None, None), {"role": "staff"}),
        (ChangeUser(role=Role.AUDITOR), Hashed(None, None), {"role": "auditor", **ENDS}),
        (ChangeUser(is_active=False), Hashed(None, None), {"is_active": False, **ENDS}),
        (ChangeUser(is_active=True), Hashed(None, None), {"is_active": True}),
        (ChangeUser(password="new password"), Hashed("h", None), {"password_hash": "h", **ENDS}),
        (ChangeUser(pin="1234"), Hashed(None, "p"), {"pin_hash": "p", "changed_at": NOW}),
        (ChangeUser(pin=None, email=None), Hashed(None, None), {"pin_hash": None, "email": None, "oidc_subject": None}),
    ],
)
def test_what_a_change_writes_and_whom_it_logs_out(request_: ChangeUser, hashed: Hashed, written: Any) -> None:
    assert changes.changed(user(), request_, hashed, NOW) == written


@pytest.mark.parametrize(
    ("role", "active", "request_", "costs"),
    [
        ("admin", True, ChangeUser(is_active=False), True),
        ("admin", True, ChangeUser(role=Role.STAFF), True),
        ("admin", True, ChangeUser(role=Role.ADMIN), False),
        ("admin", True, ChangeUser(password="new password"), False),
        ("admin", False, ChangeUser(role=Role.STAFF), False),
        ("staff", True, ChangeUser(is_active=False), False),
    ],
)
def test_which_changes_cost_an_admin(role: str, active: bool, request_: ChangeUser, costs: bool) -> None:
    assert changes.costs_an_admin(user(role, active), request_) is costs


def test_the_last_admin_stays() -> None:
    changes.check_admins(2)
    with pytest.raises(LastAdmin):
        changes.check_admins(1)


def test_the_audit_log_gets_names_of_private_fields_and_never_their_values() -> None:
    request_ = ChangeUser(role=Role.ADMIN, password="new password", pin="123456", email=None, full_name="Ann")
    told = changes.told(user(), request_)
    assert told == {"role_before": "staff", "role": "admin", "changed": "full_name, password, pin, no email"}
    assert ChangeUser().email is UNSET
