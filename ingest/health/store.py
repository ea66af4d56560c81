"""Asks both backends whether they answer."""

import asyncio
from typing import Literal

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from ingest.leases.store import LeaseStore
from stockverify.breaker import Breaker, BreakerState
from stockverify.clients import Document
from stockverify.errors import Unavailable

UpOrDown = Literal["up", "down"]
_SECONDS = 1.5
"""The answer that MongoDB does not answer is to be there within two seconds."""


class HealthStore:
    """Cheap questions with short time limits."""

    def __init__(self, client: AsyncMongoClient[Document], leases: LeaseStore, mongo_breaker: Breaker) -> None:
        self._client, self._leases, self._mongo_breaker = client, leases, mongo_breaker

    async def services(self) -> dict[str, UpOrDown]:
        """`up` or `down` for each backend."""
        mongodb, redis = await asyncio.gather(self._mongodb(), self._redis())
        return {"mongodb": mongodb, "redis": redis}

    def breakers(self) -> dict[str, BreakerState]:
        """How the circuit breakers of this process stand."""
        return {"mongodb": self._mongo_breaker.state, "redis": self._leases.breaker.state}

    async def _mongodb(self) -> UpOrDown:
        try:
            async with asyncio.timeout(_SECONDS):
                hello = await self._client.admin.command("hello")
        except (PyMongoError, TimeoutError):
            return "down"
        return "up" if hello.get("isWritablePrimary") else "down"

    async def _redis(self) -> UpOrDown:
        try:
            await self._leases.ping()
        except Unavailable:
            return "down"
        return "up"
