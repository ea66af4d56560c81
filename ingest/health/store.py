"""Asks both backends whether they answer."""

import asyncio

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from ingest.leases.store import LeaseStore
from stockverify.clients import Document
from stockverify.errors import Unavailable


class HealthStore:
    """Cheap questions with short time limits."""

    def __init__(self, client: AsyncMongoClient[Document], leases: LeaseStore) -> None:
        self._client, self._leases = client, leases

    async def services(self) -> dict[str, str]:
        """`up` or `down` for each backend."""
        mongodb, redis = await asyncio.gather(self._mongodb(), self._redis())
        return {"mongodb": mongodb, "redis": redis}

    async def _mongodb(self) -> str:
        try:
            async with asyncio.timeout(2):
                hello = await self._client.admin.command("hello")
        except (PyMongoError, TimeoutError):
            return "down"
        return "up" if hello.get("isWritablePrimary") else "down"

    async def _redis(self) -> str:
        try:
            await self._leases.ping()
        except Unavailable:
            return "down"
        return "up"
