"""Accounts and devices as tables, and what a form has changed."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from dashboard.views.people import ROLES, Filled, changes, devices, state, users
from stockverify.addresses import BadAddress
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
        ({}, {}),
        ({"full_name": " Ann B "}, {"full_name": "Ann B"}),
        ({"role": Role.AUDITOR, "active": False}, {"role": "auditor", "is_active": False}),
        ({"password": "new password", "pin": "0042"}, {"password": "new password", "pin": "0042"}),
        ({"role": Role.AUDITOR, "floors": ["B", "A", "B"]}, {"role": "auditor", "floors": ["A", "B"]}),
        ({"email": " ann@Shop.example"}, {"email": "ann@shop.example"}),
    ],
)
def test_only_what_changed_is_sent(form: dict[str, Any], changed: dict[str, Any]) -> None:
    assert changes(ANN, Filled("Ann", Role.STAFF, True)._replace(**form)) == changed


def test_an_address_may_be_taken_away_stays_while_nobody_touches_it_and_is_checked() -> None:
    reachable = msgspec.structs.replace(ANN, email="ann@shop.example")
    form = Filled("Ann", Role.STAFF, True)
    assert changes(reachable, form) == {"email": None}
    kept = msgspec.structs.replace(ANN, email="ann@Shop.example")
    assert changes(kept, form._replace(email="ann@Shop.example")) == {}
    with pytest.raises(BadAddress, match="no e-mail address"):
        changes(ANN, form._replace(email="ann at shop"))
