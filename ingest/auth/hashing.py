"""Hashing of passwords and PINs, at most two at once, so that a crowd of logins takes neither memory nor every core."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from ingest.auth import rules
from stockverify.errors import Unavailable

THREADS = 2
"""Each keeps the memory of one hashing; the default pool would have several times as many, and keep as much."""
TURNS = 4
"""Logins under way: while two hash, two others may wait for the database."""
QUEUE_SECONDS = 15.0
"""Shorter than the patience of a device, which is 20 seconds."""


class Crowded(Unavailable):
    """Many people log in at this moment. Try again in {retry_after} seconds."""


class Hashing:
    """The hashing of one process. Whoever checks a secret does so in turn."""

    def __init__(self, turns: int = TURNS, queue_seconds: float = QUEUE_SECONDS) -> None:
        self._turns, self._queue_seconds = asyncio.Semaphore(turns), queue_seconds
        self._threads = ThreadPoolExecutor(THREADS, "hashing")
        self._outage_at = -math.inf

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn, in the order of arrival. Raises Crowded, or Unavailable when a turn has ended with that
        meanwhile and none well since: nobody waits for the same outage twice."""
        came = time.monotonic()
        try:
            async with asyncio.timeout(self._queue_seconds):
                await self._turns.acquire()
        except TimeoutError:
            raise Crowded(service="Login") from None
        try:
            if self._outage_at >= came:
                raise Unavailable(service="MongoDB")
            yield
        except Exception as error:
            self._outage_at = time.monotonic() if isinstance(error, Unavailable) else -math.inf
            raise
        else:
            self._outage_at = -math.inf
        finally:
            self._turns.release()

    async def hashed(self, secret: str) -> str:
        """The hash to store of a password or PIN."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, rules.hash_password, secret)

    async def fits(self, secret: str, stored: str | None) -> bool:
        """Whether a password or PIN is the stored one; takes as long when there is none."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, rules.password_fits, secret, stored)

    async def renewed(self, secret: str, stored: str) -> str:
        """The hash to keep of a secret that fits: a new one when the parameters have changed since."""
        return await self.hashed(secret) if rules.is_outdated(stored) else stored
