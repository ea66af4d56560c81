"""Logging in: passwords and PINs, checked in turn and counted, then a login."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar
from weakref import WeakValueDictionary

from pymongo.asynchronous.database import AsyncDatabase

from ingest.auth import lockout
from ingest.auth.attempts import AttemptStore
from ingest.auth.hashing import Hashing
from ingest.auth.rules import AmbiguousPin, Caller, WrongLogin, stranger
from ingest.auth.store import UserStore
from ingest.devices.rules import Claimed, NoDeviceForPin, is_enrolled
from ingest.devices.store import DeviceStore
from ingest.outages import patiently
from stockverify.breaker import Breaker
from stockverify.clients import Document
from stockverify.vocabulary import Collection
from stockverify.wire.auth import Login, LoginPin, Tokens

T = TypeVar("T")
_UNKNOWN = "an unknown user name"


class LoginStore:
    """Checks who somebody is. Waiting for one's turn may take longer than an outage of MongoDB may: each piece of work
    on MongoDB has its own time limit here, and the time is taken when it is needed."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        users: UserStore,
        devices: DeviceStore,
        attempts: AttemptStore,
        hashing: Hashing,
        breaker: Breaker,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._found = database[Collection.USERS]
        self._users, self._devices, self._attempts = users, devices, attempts
        self._hashing, self._breaker, self._clock = hashing, breaker, clock
        self._opening: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def by_password(self, login: Login, device: Claimed) -> Tokens:
        """Raises WrongLogin, Locked, Crowded, DeviceRevoked, WrongDeviceToken or NotEnrolled."""
        return await self._by_name(login.username, login.password, "password_hash", device)

    async def by_pin(self, login: LoginPin, device: Claimed) -> Tokens:
        """The same, and NoDeviceForPin or AmbiguousPin."""
        if login.username is not None:
            return await self._by_name(login.username, login.pin, "pin_hash", device)
        people = await self._people(device)
        async with self._hashing.turn():
            check = partial(self._fitting, login.pin, people)
            key, who = lockout.key("device", device.device_id), stranger(device.device_id)
            found = await self._checked(key, who, device.device_id, check)
            if not found:
                raise WrongLogin()
            if len(found) > 1:
                raise AmbiguousPin()
            return await self._open(found[0], login.pin, "pin_hash", device)

    async def _by_name(self, username: str, secret: str, field: str, device: Claimed) -> Tokens:
        """Passwords and PINs of a user name share one count, whether it exists or not."""
        async with self._hashing.turn():
            user = await self._guarded(lambda: self._check_device_and_find(username, device))
            check = partial(self._fits, user, secret, field)
            key, who = lockout.key("user", username), _told(user, device)
            fits = await self._checked(key, who, who.username or _UNKNOWN, check)
            if not user or not fits:
                raise WrongLogin()
            return await self._open(user, secret, field, device)

    async def _checked(self, key: str, who: Caller, subject: str, check: Callable[[], Awaitable[T | None]]) -> T | None:
        """Hashing for twenty people may take long, so that it must not count as MongoDB's time."""
        check_id = await self._guarded(lambda: self._attempts.reserve(key))
        found = await check()
        await self._guarded(lambda: self._attempts.settle(key, check_id, found is not None, who, subject))
        return found

    async def _check_device_and_find(self, username: str, device: Claimed) -> Document | None:
        is_enrolled(await self._devices.find(device.device_id), device)
        return await self._found.find_one({"username": username}, {"logins": 0})

    async def _fits(self, user: Document | None, secret: str, field: str) -> bool | None:
        """None for a wrong one. An account that is disabled or unknown takes as long, and is as wrong."""
        fits = await self._hashing.fits(secret, user[field] if user else None)
        return True if fits and user and user["is_active"] else None

    async def _people(self, device: Claimed) -> list[Document]:
        async def read() -> list[Document]:
            stored = await self._devices.find(device.device_id)
            if not is_enrolled(stored, device) or not stored:
                raise NoDeviceForPin()
            wanted = {"username": {"$in": stored["usernames"]}, "is_active": True}
            return await self._found.find(wanted, {"logins": 0}).to_list()

        return await self._guarded(read)

    async def _fitting(self, pin: str, people: list[Document]) -> list[Document] | None:
        """All people whose PIN it is, since two may have chosen the same one; None for nobody."""
        found = [user for user in people if await self._hashing.fits(pin, user["pin_hash"])]
        return found or None

    async def _open(self, user: Document, secret: str, field: str, device: Claimed) -> Tokens:
        """Still in turn, and one at a time for one person: a hundred devices of theirs would otherwise fail at that
        person's document again and again, until their time is over."""
        changes = {field: await self._hashing.renewed(secret, user[field])}
        async with self._opening.setdefault(user["_id"], asyncio.Lock()):
            return await self._guarded(lambda: self._users.open(user, changes, device, self._clock()))

    async def _guarded(self, work: Callable[[], Awaitable[T]]) -> T:
        return await patiently(self._breaker, work)


def _told(user: Document | None, device: Claimed) -> Caller:
    """Who is named in the audit log: never what was typed, which may be a password."""
    return stranger(device.device_id, user["username"] if user else "")
