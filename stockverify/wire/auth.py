"""Logging in, and the people who do."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from stockverify.vocabulary import (
    Role,
)
from stockverify.wire.common import Name, Reply, Request

Password = Annotated[str, Meta(min_length=1, max_length=1024)]
NewPassword = Annotated[str, Meta(min_length=8, max_length=1024)]
NewUsername = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[\w.@-]+$")]
Floors = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=256)], ...], Meta(max_length=100)]
Pin = Annotated[str, Meta(pattern=r"^[0-9]{4,6}$")]


class Login(Request, frozen=True, kw_only=True):
    """POST /api/auth/login"""

    username: Name
    password: Password


class LoginPin(Request, frozen=True, kw_only=True):
    """POST /api/auth/login-pin; without a user name only from an enrolled device."""

    pin: Pin
    username: Name | None = None


class LoginOidc(Request, frozen=True, kw_only=True):
    """POST /api/auth/oidc, with what the provider has just given to whoever signed in there."""

    id_token: Annotated[str, Meta(min_length=1, max_length=16_384)]


class Refresh(Request, frozen=True, kw_only=True):
    """POST /api/auth/refresh"""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=512)]


class Register(Request, frozen=True, kw_only=True):
    """POST /api/auth/register, for admins"""

    username: NewUsername
    password: NewPassword
    full_name: Name
    role: Role
    pin: Pin | None = None
    floors: Floors = ()


class ChangeUser(Request, frozen=True, kw_only=True):
    """PATCH /api/auth/users/{username}, for admins. What is left out stays; a null e-mail or PIN is taken away,
    and no floors are all floors."""

    role: Role | None = None
    is_active: bool | None = None
    full_name: Name | None = None
    password: NewPassword | None = None
    email: Name | UnsetType | None = UNSET
    pin: Pin | UnsetType | None = UNSET
    floors: Floors | None = None


class User(Reply, frozen=True, kw_only=True):
    """A person, as tokens and replies show them. `floors` are those whose stock they may see; none are all."""

    id: str
    username: str
    full_name: str
    role: Role
    email: str | None
    is_active: bool
    permissions: list[str]
    floors: tuple[str, ...] = ()


class Tokens(Reply, frozen=True, kw_only=True):
    """What a login gives: a short-lived access token and a refresh token that works once."""

    access_token: str
    expires_in: int
    refresh_token: str
    user: User
    token_type: str = "bearer"  # noqa: S105


class TokensReply(Reply, frozen=True, kw_only=True):
    """The envelope of login and refresh."""

    data: Tokens
    success: bool = True
