"""One way to run a transaction: majority-acknowledged, journaled, at one point in time."""

import itertools
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pymongo
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from ingest.metrics import observe
from ingest.outages import PATIENCE_SECONDS
from stockverify.clients import Document

T = TypeVar("T")
_DURABLE = WriteConcern(w="majority", j=True)
_SNAPSHOT = ReadConcern("snapshot")


async def transact(client: AsyncMongoClient[Document], work: Callable[[AsyncClientSession], Awaitable[T]]) -> T:
    """Run `work` once; the caller decides what to do when somebody else was faster."""
    async with (
        client.start_session() as session,
        await session.start_transaction(read_concern=_SNAPSHOT, write_concern=_DURABLE),
    ):
        return await work(session)


async def transact_until_done(
    client: AsyncMongoClient[Document], work: Callable[[AsyncClientSession], Awaitable[T]]
) -> T:
    """Run `work` again for as long as the only trouble is that somebody else was faster, but not for ever."""
    attempts = itertools.count()

    async def counted(session: AsyncClientSession) -> T:
        if next(attempts):
            observe.retried()
        return await work(session)

    with pymongo.timeout(PATIENCE_SECONDS):
        async with client.start_session() as session:
            return await session.with_transaction(counted, read_concern=_SNAPSHOT, write_concern=_DURABLE)
