"""Accounts and devices as tables, and what a form has changed."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from dashboard.views.people import ROLES, changes, devices, state, users
from stockverify.vocabulary import Role
from stockverify.wire.auth import User
from stockverify.wire.devices import Device

ANN = User(id="u-1", username="ann", full_name="Ann", role=Role.STAFF, email=None, is_active=True, permissions=[])


def device(**changes: Any) -> Device:
    """A device that somebody has logged in on."""
    plain: dict[str, Any] = {
        "device_id": "007",
        "name": None,
        "usernames": [],
        "enrolled_at": None,
        "last_login_at": 1767603600.0,
        "revoked_at": None,
        "revoked_reason": None,
    }
    return Device(**plain | changes)


def test_every_role_has_words() -> None:
    assert set(ROLES) == set(Role)


def test_accounts_are_rows() -> None:
    assert users([ANN]).rows() == [("ann", "Ann", "staff", None, [], True)]
    assert users([]).height == 0
    several = [msgspec.structs.replace(ANN, username=name) for name in ("c10", "9", "c2", "c", "Ann")]
    assert users(several)["username"].to_list() == ["9", "Ann", "c", "c2", "c10"]


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (device(), "Not enrolled"),
        (device(enrolled_at=1.0), "Enrolled"),
        (device(enrolled_at=1.0, revoked_at=2.0), "Revoked"),
    ],
)
def test_a_device_s_state_is_a_word(found: Device, word: str) -> None:
    assert state(found) == word


def test_devices_are_rows_with_instants_and_ids_as_text() -> None:
    (row,) = devices([device()]).rows(named=True)
    assert row["device_id"] == "007"
    assert row["last_login_at"] == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert row["revoked_at"] is None


@pytest.mark.parametrize(
    ("form", "changed"),
    [
        (("Ann", Role.STAFF, True, "", []), {}),
        (("Ann B", Role.STAFF, True, "", []), {"full_name": "Ann B"}),
        (("Ann", Role.AUDITOR, False, "", []), {"role": "auditor", "is_active": False}),
        (("Ann", Role.STAFF, True, "new password", []), {"password": "new password"}),
        (("Ann", Role.AUDITOR, True, "", ["B", "A", "B"]), {"role": "auditor", "floors": ["A", "B"]}),
    ],
)
def test_only_what_changed_is_sent(form: tuple[str, Role, bool, str, list[str]], changed: dict[str, Any]) -> None:
    assert changes(ANN, *form) == changed
