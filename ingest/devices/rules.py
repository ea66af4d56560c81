"""Pure decisions about devices: codes, tokens, and who may log in on which."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from stockverify.clients import Document
from stockverify.errors import BadInput, Forbidden, Refused, Unauthorized
from stockverify.vocabulary import Role
from stockverify.wire.devices import Device

CODE_SECONDS = 15 * 60
MAX_NAME = 128
_CODE_LENGTH = 8
# Without I, L, O, U, 0 and 1: people read codes aloud and type them on small keyboards.
_CODE_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_CODE_NOISE = str.maketrans("", "", "- \t")


class WrongCode(Unauthorized):
    """The code is wrong, expired or was used before; ask for a new one."""


class DeviceRevoked(Forbidden):
    """This device was revoked. Ask an admin for a code and enrol it anew."""


class WrongDeviceToken(Forbidden):
    """The X-Device-Token is not the one of this device. Ask an admin for a code and enrol it anew."""


class NotEnrolled(Forbidden):
    """Logins are accepted from enrolled devices only. Ask an admin for a code, enrol this device, and send X-Device-ID
    and X-Device-Token with the login."""


class NoDeviceForPin(Forbidden):
    """A PIN alone works on an enrolled device only. Send the user name with it, or enrol this device and send
    X-Device-ID and X-Device-Token."""


class UnknownPeople(BadInput):
    """usernames: no active account is called {names}."""


class AlreadyEnrolled(Refused):
    """A device with the id {device_id} is enrolled. Revoke it first, or enrol without device_id."""


class Claimed(NamedTuple):
    """The device that a request says it comes from; nothing is proved yet. Empty texts stand for nothing."""

    device_id: str = ""
    token: str = ""


def claimed(headers: Mapping[str, str]) -> Claimed:
    """The device that a request's headers name."""
    return Claimed(headers.get("X-Device-ID", "")[:MAX_NAME], headers.get("X-Device-Token", ""))


def new_code() -> str:
    """A code of 39 random bits."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH))


def code_hash(code: str, secret: str) -> str:
    """What is stored of a code. It is short, so that a plain hash could be guessed; this one needs our secret."""
    plain = code.upper().translate(_CODE_NOISE)
    return hmac.new(secret.encode(), plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def code_ends(now: datetime) -> datetime:
    """Until when a code made now is good."""
    return now + timedelta(seconds=CODE_SECONDS)


def token_hash(token: str) -> str:
    """What is stored of a device token: it has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def is_enrolled(stored: Document | None, claimed: Claimed) -> bool:
    """Whether a device has proved to be the enrolled one of that name. Raises DeviceRevoked or WrongDeviceToken."""
    if stored and stored["revoked_at"]:
        raise DeviceRevoked()
    if not claimed.token:
        return False
    known = (stored or {}).get("token_hash") or ""
    if not hmac.compare_digest(known, token_hash(claimed.token)):
        raise WrongDeviceToken()
    return True


def check_login(role: Role, enrolled: bool, required: bool) -> None:
    """Raises NotEnrolled. Admins may log in from anywhere, or nobody could enrol the first device."""
    if required and not enrolled and role is not Role.ADMIN:
        raise NotEnrolled()


def check_free(stored: Document | None, device_id: str) -> None:
    """Raises AlreadyEnrolled when the name belongs to an enrolled device, which would lose it."""
    if stored and stored.get("token_hash") and not stored["revoked_at"]:
        raise AlreadyEnrolled(device_id=device_id)


def shown(stored: Document) -> Device:
    """A stored device as replies show it."""
    return Device(
        device_id=stored["_id"],
        name=stored.get("name"),
        usernames=stored.get("usernames", []),
        enrolled_at=_seconds(stored.get("enrolled_at")),
        last_login_at=_seconds(stored.get("last_login_at")),
        revoked_at=_seconds(stored["revoked_at"]),
        revoked_reason=stored.get("revoked_reason"),
    )


def _seconds(instant: datetime | None) -> float | None:
    return instant.timestamp() if instant else None
