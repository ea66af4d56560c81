"""Enrolling and revoking devices."""

from typing import Annotated

from msgspec import Meta

from stockverify.wire.common import Name, Reply, Request

MAX_PEOPLE = 20


class InviteDevice(Request, frozen=True, kw_only=True):
    """POST /api/devices/codes, for admins: who may log in on the device with a PIN alone."""

    name: Annotated[str, Meta(min_length=1, max_length=128)]
    usernames: Annotated[tuple[Name, ...], Meta(max_length=MAX_PEOPLE)]


class DeviceCode(Reply, frozen=True, kw_only=True):
    """A code that enrols one device, once, until `expires_at`."""

    code: str
    name: str
    usernames: list[str]
    expires_at: float


class EnrollDevice(Request, frozen=True, kw_only=True):
    """POST /api/devices/enroll; a device that has a name already keeps it with `device_id`."""

    code: Annotated[str, Meta(min_length=1, max_length=32)]
    device_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,128}$")] | None = None


class Enrolled(Reply, frozen=True, kw_only=True):
    """What the device keeps: it sends both as X-Device-ID and X-Device-Token when somebody logs in on it."""

    device_id: str
    device_token: str
    name: str


class Device(Reply, frozen=True, kw_only=True):
    """A device that was enrolled, or that somebody logged in on."""

    device_id: str
    name: str | None
    usernames: list[str]
    enrolled_at: float | None
    last_login_at: float | None
    revoked_at: float | None
    revoked_reason: str | None
