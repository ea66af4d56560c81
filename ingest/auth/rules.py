"""Pure decisions about passwords, tokens and logins. Time and randomness come in as arguments."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from stockverify.errors import Unauthorized
from stockverify.vocabulary import Role
from stockverify.wire import User

MAX_LOGINS = 100
_HASHER = PasswordHasher()
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


class Caller(NamedTuple):
    """The person and the device behind a request. No X-Device-ID is one device, named by an empty text."""

    user_id: str
    username: str
    role: Role
    login_id: str
    device_id: str


class Claims(NamedTuple):
    """What an access token says."""

    user_id: str
    login_id: str


def hash_password(password: str) -> str:
    """argon2id with a salt of its own."""
    return _HASHER.hash(password)


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
    return Claims(str(payload["sub"]), str(payload["sid"]))


def bearer(header: str | None) -> str:
    """The token of an Authorization header. Raises BadToken."""
    kind, _, token = (header or "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise BadToken(problem="missing")
    return token.strip()


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
    )
