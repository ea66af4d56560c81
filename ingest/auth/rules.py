"""Pure decisions about passwords, tokens and logins. Time and randomness come in as arguments."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from stockverify.errors import Forbidden, Unauthorized
from stockverify.vocabulary import Role
from stockverify.wire.auth import User

MAX_LOGINS = 100
# What OWASP recommends for argon2id. The library's default takes 64 MiB and seven times as long for each of the 1,000
# devices that log in when a shift begins (docs/decisions/0013).
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = _HASHER.hash("nobody has this password")
_ALGORITHM = "HS256"
# When it was issued says nothing about validity, and clocks of two hosts differ: a device deletes its token on any 401.
_CHECKS: Any = {"require": ["exp", "sub", "sid"], "verify_iat": False}
_LEEWAY_SECONDS = 10

PERMISSIONS: dict[Role, list[str]] = {
    Role.STAFF: ["count"],
    Role.SUPERVISOR: ["count", "settle", "report"],
    Role.ADMIN: ["count", "settle", "report", "manage"],
    Role.AUDITOR: ["read"],
}


class WrongLogin(Unauthorized):
    """The user name or the password is wrong, or the account is disabled."""


class BadToken(Unauthorized):
    """The access token is {problem}; log in, or use the refresh token once."""


class DeadRefreshToken(Unauthorized):
    """The refresh token is expired, revoked or was used before; log in again."""


class NotThisDevice(Forbidden):
    """This login belongs to another device. Log in on this one; X-Device-ID must stay what it was at the login."""


class AmbiguousPin(Unauthorized):
    """More than one person on this device has this PIN; send the user name with it."""


class Caller(NamedTuple):
    """The person and the device behind a request. No X-Device-ID is one device, named by an empty text. `floors` are
    those whose stock the person may see; none are all."""

    user_id: str
    username: str
    role: Role
    login_id: str
    device_id: str
    floors: tuple[str, ...] = ()


class Claims(NamedTuple):
    """What an access token says: whose it is, of which login, made on which device."""

    user_id: str
    login_id: str
    device_id: str = ""


def stranger(device_id: str = "", username: str = "") -> Caller:
    """Somebody who has not proved to be anybody, for the audit log only."""
    return Caller("", username, Role.STAFF, "", device_id)


def hash_password(password: str) -> str:
    """argon2id with a salt of its own; for PINs too."""
    return _HASHER.hash(password)


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def password_fits(password: str, stored: str | None) -> bool:
    """Takes as long for an unknown user (`stored` None) as for a wrong password."""
    try:
        return _HASHER.verify(stored or _NOBODY, password) and stored is not None
    except (Argon2Error, InvalidHashError):
        return False


def refresh_hash(token: str) -> str:
    """What is stored of a refresh token: it has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign(claims: Claims, secret: str, now: datetime, seconds: int) -> str:
    """An access token that lives for `seconds`."""
    payload = {
        "sub": claims.user_id,
        "sid": claims.login_id,
        "dev": claims.device_id,
        "iat": now,
        "exp": now + timedelta(seconds=seconds),
    }
    return jwt.encode(payload, secret, algorithm=_ALGORITHM)


def verify(token: str, secret: str) -> Claims:
    """What the token says. Raises BadToken."""
    try:
        payload = jwt.decode(token, secret, algorithms=[_ALGORITHM], options=_CHECKS, leeway=_LEEWAY_SECONDS)
    except jwt.ExpiredSignatureError:
        raise BadToken(problem="expired") from None
    except jwt.InvalidTokenError:
        raise BadToken(problem="not valid") from None
    return Claims(str(payload["sub"]), str(payload["sid"]), str(payload.get("dev", "")))


def bearer(header: str | None) -> str:
    """The token of an Authorization header. Raises BadToken."""
    kind, _, token = (header or "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise BadToken(problem="missing")
    return token.strip()


def check_use(login: dict[str, Any], role: Role, device_id: str, required: bool) -> bool:
    """Whether the device that now uses a login must be looked up, because the login was made on another one.

    `required` is REQUIRE_ENROLLED_DEVICES. Raises BadToken for a login from before it was set, or NotThisDevice.
    """
    if required and not (login.get("enrolled") or role is Role.ADMIN):
        raise BadToken(problem="not from an enrolled device")
    if device_id == login["device_id"]:
        return False
    if required:
        raise NotThisDevice()
    return bool(device_id)


def kept_logins(logins: list[dict[str, Any]], opened: dict[str, Any], now: datetime) -> list[dict[str, Any]]:
    """A user's logins with one more: of more than MAX_LOGINS those go first whose device has a newer one."""
    kept = [*(login for login in logins if login["expires_at"] > now), opened]
    while len(kept) > MAX_LOGINS:
        kept.pop(next((place for place, login in enumerate(kept) if _is_superseded(login, kept[place + 1 :])), 0))
    return kept


def _is_superseded(login: dict[str, Any], newer: list[dict[str, Any]]) -> bool:
    return bool(login["device_id"]) and any(other["device_id"] == login["device_id"] for other in newer)


def describe(user: dict[str, Any]) -> User:
    """A stored user as replies show it."""
    role = Role(user["role"])
    return User(
        id=user["_id"],
        username=user["username"],
        full_name=user["full_name"],
        role=role,
        email=user.get("email"),
        is_active=user["is_active"],
        permissions=PERMISSIONS[role],
        floors=tuple(user.get("floors") or ()),
    )
