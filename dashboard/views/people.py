"""Accounts and devices as tables, and what a form has changed."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import polars as pl

from stockverify.addresses import checked
from stockverify.vocabulary import Role
from stockverify.wire.auth import User
from stockverify.wire.devices import Device

ROLES = {
    Role.STAFF: "Staff: count on devices",
    Role.SUPERVISOR: "Supervisor: settles conflicts, takes snapshots",
    Role.ADMIN: "Admin: manages people and devices",
    Role.AUDITOR: "Auditor: reads all, changes nothing",
}
CHANGED = {"full_name": "name", "is_active": "may sign in", "email": "e-mail", "pin": "PIN"}
"""What a form calls the fields whose own names nobody would say."""
_INSTANT = pl.Datetime("ms", "UTC")
_USERS: dict[str, Any] = {
    "username": pl.String,
    "full_name": pl.String,
    "role": pl.String,
    "email": pl.String,
    "floors": pl.List(pl.String),
    "is_active": pl.Boolean,
}
_DEVICES: dict[str, Any] = {
    "device_id": pl.String,
    "name": pl.String,
    "state": pl.String,
    "usernames": pl.List(pl.String),
    "enrolled_at": _INSTANT,
    "last_login_at": _INSTANT,
    "revoked_at": _INSTANT,
    "revoked_reason": pl.String,
}


class Filled(NamedTuple):
    """What stands in the form of an account. An empty address is none; an empty password or PIN stays as it is."""

    full_name: str
    role: Role
    active: bool
    email: str = ""
    floors: Sequence[str] = ()
    password: str = ""
    pin: str = ""


def users(found: Iterable[User]) -> pl.DataFrame:
    """A row for each account, counter2 before counter10."""
    rows = [
        {name: getattr(user, name) for name in _USERS} | {"role": user.role.value, "floors": list(user.floors)}
        for user in sorted(found, key=_by_name_and_number)
    ]
    return pl.DataFrame(rows, schema=_USERS)


def devices(found: Iterable[Device]) -> pl.DataFrame:
    """A row for each device."""
    rows = [
        {
            "device_id": device.device_id,
            "name": device.name,
            "state": state(device),
            "usernames": device.usernames,
            "enrolled_at": _instant(device.enrolled_at),
            "last_login_at": _instant(device.last_login_at),
            "revoked_at": _instant(device.revoked_at),
            "revoked_reason": device.revoked_reason,
        }
        for device in found
    ]
    return pl.DataFrame(rows, schema=_DEVICES)


def state(device: Device) -> str:
    """Whether a device may be used, in a word."""
    if device.revoked_at is not None:
        return "Revoked"
    return "Enrolled" if device.enrolled_at is not None else "Not enrolled"


def changes(user: User, form: Filled) -> dict[str, Any]:
    """What a form changes of an account; empty when it changes nothing. Raises BadAddress."""
    wanted: dict[str, Any] = {
        "full_name": form.full_name.strip(),
        "role": form.role.value,
        "is_active": form.active,
        # One that nobody touched stays as it is: entering it anew would cut the tie to the sign-in provider.
        "email": user.email if form.email == (user.email or "") else address(form.email),
        "floors": sorted(set(form.floors)),
    }
    now = {name: getattr(user, name) for name in wanted} | {"role": user.role.value, "floors": sorted(user.floors)}
    secret = {"password": form.password, "pin": form.pin.strip()}
    changed = {name: value for name, value in wanted.items() if value != now[name]}
    return changed | {name: value for name, value in secret.items() if value}


def address(text: str) -> str | None:
    """An e-mail address as it is kept; None for none. Raises BadAddress."""
    return checked(text) if text.strip() else None


def _by_name_and_number(user: User) -> list[str | int]:
    """Texts and numbers take turns, so that only like is compared with like."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", user.username)]


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
