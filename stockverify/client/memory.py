"""What a device remembers over a restart beside its counts: its name, its login and the rack that it holds."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from stockverify.client.storage import Storage

T = TypeVar("T")
_SET = "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


class Login(Struct, frozen=True, kw_only=True):
    """Who is logged in. The refresh token works once, so it is on the disk before it is needed."""

    username: str
    access_token: str
    refresh_token: str
    expires_in: int


class Held(Struct, frozen=True, kw_only=True):
    """The rack that a session of this device holds, and the fence number of the grant."""

    rack_id: str
    session_id: str
    floor: str
    fence: int | None
    lock_ttl: int
    paused: bool = False


class Memory:
    """Single facts in the device's file."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def device_id(self, make: Callable[[], str]) -> str:
        """The name of this device; made up and kept the first time."""
        known = self._get("device_id", str)
        if known is None:
            self._set("device_id", known := make())
        return known

    @property
    def device_token(self) -> str | None:
        """Proves at a login that this device was enrolled."""
        return self._get("device_token", str)

    @device_token.setter
    def device_token(self, token: str) -> None:
        self._set("device_token", token)

    @property
    def login(self) -> Login | None:
        """The login, None after the service has ended it."""
        return self._get("login", Login)

    def keep_login(self, login: Login | None) -> None:
        """Remember a new login, or that it has ended."""
        self._set("login", login)

    @property
    def owner(self) -> str | None:
        """The person whose counts are in the queue; remembered when the login has ended."""
        return self._get("owner", str)

    @owner.setter
    def owner(self, username: str) -> None:
        self._set("owner", username)

    @property
    def held(self) -> Held | None:
        """The rack that this device holds, as far as it knows."""
        return self._get("held", Held)

    @held.setter
    def held(self, held: Held | None) -> None:
        self._set("held", held)

    def _get(self, name: str, kind: type[T]) -> T | None:
        rows = self._storage.rows("SELECT value FROM facts WHERE name = ?", name)
        return msgspec.json.decode(rows[0][0], type=kind | None) if rows else None

    def _set(self, name: str, value: Any) -> None:
        with self._storage.writing() as connection:
            connection.execute(_SET, (name, msgspec.json.encode(value)))
