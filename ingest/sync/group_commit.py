"""Group commit: batches that wait at the same moment are written in one transaction.

A transaction costs four round trips, however little it writes: racks, records, receipts and the commit, each a third of
a millisecond of the service's processor. Nobody waits for company: a batch that comes alone is written alone, and those
that come while a transaction is under way are written together after it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import NamedTuple

import pymongo
from pymongo.errors import NetworkTimeout

from ingest import outages
from ingest.sync.writing import Decided

AT_ONCE = 1
"""Transactions under way at the same time; more of them would be smaller ones."""
MOST_RECORDS = 1000
"""Records in one transaction, unless a single batch has more: nobody waits long for the work of others."""

Write = Callable[[Sequence[Decided]], Awaitable[bool]]


class _Waiting(NamedTuple):
    batch: Decided
    outcome: "asyncio.Future[bool]"


class GroupCommit:
    """Hands batches to `write`, several at a time. `write` is all or nothing, and says whether it was all."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting: deque[_Waiting] = deque()
        self._under_way: set[asyncio.Task[None]] = set()

    async def written(self, batch: Decided) -> bool:
        """Whether the batch is durable; false when somebody else was faster. Raises NetworkTimeout when the request's
        time is over before that is known."""
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._go_on()
        try:
            async with asyncio.timeout(outages.seconds_left()):
                return await waiting.outcome
        except TimeoutError:
            raise NetworkTimeout("The transaction has not ended in time.") from None

    def _go_on(self) -> None:
        while len(self._under_way) < AT_ONCE and (group := self._next()):
            task = asyncio.create_task(self._settle(group), context=Context())  # its time is not that of one request
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        self._go_on()

    def _next(self) -> list[_Waiting]:
        """Those that go together. Two of the same rack do not: the second must see what the first did."""
        group: list[_Waiting] = []
        left: deque[_Waiting] = deque()
        racks: set[str] = set()
        records = 0
        for each in self._waiting:
            if each.outcome.done():
                continue  # whoever waited for it has given up
            records += each.batch.receipt["records"]
            if group and (records > MOST_RECORDS or not racks.isdisjoint(each.batch.writes.racks)):
                left.append(each)
            else:
                group.append(each)
                racks |= each.batch.writes.racks
        self._waiting = left
        return group

    async def _settle(self, group: list[_Waiting]) -> None:
        """Write a group; when somebody was faster for one of them, each by itself."""
        try:
            with pymongo.timeout(outages.PATIENCE_SECONDS):
                done = await self._write([each.batch for each in group])
        except BaseException as error:
            for each in group:
                if not each.outcome.done():
                    each.outcome.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        if done or len(group) == 1:
            for each in group:
                if not each.outcome.done():
                    each.outcome.set_result(done)
            return
        for each in group:
            if not each.outcome.done():
                await self._settle([each])
