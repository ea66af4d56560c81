"""Counts wrong attempts in MongoDB, for all processes together and without Redis."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from weakref import WeakValueDictionary

import msgspec
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from ingest.activity.store import ActivityStore
from ingest.auth import lockout
from ingest.auth.lockout import FORGOTTEN_AFTER, Check, Locked, Policy, Tries
from ingest.auth.rules import Caller
from stockverify.clients import Document
from stockverify.settings import Settings
from stockverify.vocabulary import Action, Collection

T = TypeVar("T")
_PAUSE_SECONDS = 0.05
_PATIENCE = timedelta(seconds=1.5)  # less than a request may wait for MongoDB


class AttemptStore:
    """Lets through as many guesses as the policy allows."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        activity: ActivityStore,
        settings: Settings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        # Not worth waiting for the disk: what a crash of the database could lose is a count of failures.
        self._attempts = database.get_collection(
            Collection.LOGIN_ATTEMPTS, write_concern=WriteConcern(w=1, j=False), read_concern=ReadConcern("local")
        )
        self._activity, self._clock = activity, clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._policy = Policy(settings.login_max_failures, settings.login_lockout_seconds)

    async def checked(
        self, key: str, caller: Caller, subject: str, check: Callable[[], Awaitable[T | None]]
    ) -> T | None:
        """What `check` finds; None is a wrong attempt, and the last allowed one locks. Raises Locked.

        Takes the time from the clock: an attempt may have waited long for its turn.
        """
        check_id = await self.reserve(key)
        found = await check()
        await self.settle(key, check_id, found is not None, caller, subject)
        return found

    async def forget(self, key: str) -> None:
        """Somebody in charge has ended a lock."""
        await self._attempts.delete_one({"_id": key})

    async def reserve(self, key: str) -> str:
        """Take a try, before it is checked; its name. Raises Locked."""
        check_id, began = secrets.token_hex(8), self._clock()
        while (now := self._clock()) < began + _PATIENCE:
            check = Check(check_id, now)
            if await self._change(key, lambda tries: lockout.reserve(tries, check, self._policy)):  # noqa: B023
                return check_id
            await asyncio.sleep(_PAUSE_SECONDS)
        raise Locked(retry_after=1)

    async def settle(self, key: str, check_id: str, fits: bool, caller: Caller, subject: str) -> None:
        """Note how a try has ended; a lock goes into the audit log."""
        now = self._clock()
        tries = await self._change(key, lambda tries: lockout.settle(tries, check_id, fits, now, self._policy))
        if tries and not fits and tries.locked_until:
            await self._activity.note(Action.LOGIN_LOCKED, caller, subject, now, until=tries.locked_until)

    async def _change(self, key: str, change: Callable[[Tries], Tries | None]) -> Tries | None:
        """Apply a pure change to what is stored, again when another process was faster; None when there is none.

        Within one process one after the other, or many guesses at once would mostly lose to each other.
        """
        async with self._locks.setdefault(key, asyncio.Lock()):
            while True:
                stored = await self._attempts.find_one({"_id": key})
                after = change(msgspec.convert(stored, Tries) if stored else Tries())
                if after is None or await self._swap(key, stored, after):
                    return after

    async def _swap(self, key: str, stored: Document | None, after: Tries) -> bool:
        """Whether what was read was still there, and is replaced."""
        old = {"_id": key, "version": stored["version"]} if stored else None
        if after == Tries():
            return old is None or (await self._attempts.delete_one(old)).deleted_count == 1
        forgotten = max(self._clock(), after.locked_until or self._clock()) + FORGOTTEN_AFTER
        new = {**msgspec.to_builtins(after, builtin_types=(datetime,)), "forgotten_at": forgotten}
        new["version"] = secrets.token_hex(8)
        if old:
            return (await self._attempts.replace_one(old, new)).matched_count == 1
        try:
            await self._attempts.insert_one({"_id": key, **new})
        except DuplicateKeyError:
            return False
        return True
