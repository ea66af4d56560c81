"""Accounts, and the devices that people count with."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dashboard.desk import Desk, part
from stockverify.wire.auth import User
from stockverify.wire.devices import Device, DeviceCode

Each = TypeVar("Each")
_PAGE = 1000


def users(desk: Desk) -> list[User]:
    """All accounts by user name."""
    return _all(desk, "/api/auth/users", list[User], lambda user: user.username)


def devices(desk: Desk) -> list[Device]:
    """All devices that were enrolled, or that somebody logged in on, by id."""
    return _all(desk, "/api/devices/", list[Device], lambda device: device.device_id)


def floors(desk: Desk) -> list[str]:
    """The floors that have racks."""
    return desk.get("/api/racks/floors", list[str])


def register(desk: Desk, account: dict[str, Any], email: str | None = None) -> User:
    """Make an account; its e-mail address is entered right after it. Raises Refused when the name is taken."""
    made = desk.post("/api/auth/register", User, account)
    return change(desk, made.username, {"email": email}) if email else made


def change(desk: Desk, username: str, changes: dict[str, Any]) -> User:
    """Change an account; a new role, password or floors, or disabling it, ends its logins at once."""
    return desk.patch(f"/api/auth/users/{part(username)}", User, changes)


def invite(desk: Desk, name: str, usernames: Sequence[str]) -> DeviceCode:
    """A code that enrols one device, once. The service does not show it again."""
    return desk.post("/api/devices/codes", DeviceCode, {"name": name, "usernames": list(usernames)})


def revoke(desk: Desk, device_id: str, reason: str) -> Device:
    """Shut a device out and end all its logins at once."""
    return desk.post(f"/api/devices/{part(device_id)}/revoke", Device, {"reason": reason})


def _all(desk: Desk, path: str, shape: type[list[Each]], place: Callable[[Each], str]) -> list[Each]:
    found: list[Each] = []
    while True:
        page = desk.get(path, shape, limit=_PAGE, after=place(found[-1]) if found else None)
        found += page
        if len(page) < _PAGE:
            return found
