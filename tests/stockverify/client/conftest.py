"""Parts of a device, wired to a scripted service and to a clock that only waits in name."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from stockverify.client.api import Api
from stockverify.client.clockwork import Clockwork
from stockverify.client.memory import Login
from stockverify.client.queue import Queue
from stockverify.client.records import Progress
from stockverify.client.storage import Storage
from stockverify.client.sync import Sync
from stockverify.wire.sync import SyncRecord
from tests.stockverify.client.scripted import Scripted

MOMENT = datetime(2026, 1, 5, 8, tzinfo=UTC)
LOGIN = Login(username="anna", access_token="token-1", refresh_token="refresh-1", expires_in=900)


class Clock:
    """Time that passes only when somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)

    def work(self) -> Clockwork:
        """A clockwork that this clock drives."""
        return Clockwork(
            now=lambda: MOMENT + timedelta(seconds=self.seconds),
            monotonic=self.monotonic,
            sleep=self.sleep,
            rng=random.Random(7),
        )


class Wired(NamedTuple):
    """A queue, and the sync that empties it."""

    queue: Queue
    sync: Sync
    seen: list[Progress]


def a_record(number: int, item: str = "ITEM", qty: float = 5.0, revision: int = 1) -> SyncRecord:
    """A count with a short name."""
    return SyncRecord(
        client_record_id=f"c-{number}",
        session_id="s-1",
        item_code=item,
        verified_qty=qty,
        created_at=MOMENT,
        updated_at=MOMENT,
        revision=revision,
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    service = Scripted()
    await service.open()
    yield service
    await service.close()


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = Storage(tmp_path / "device.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def queue(storage: Storage) -> Queue:
    return Queue(storage, max_refusals=5)


@asynccontextmanager
async def wired(
    queue: Queue, service: Scripted, clock: Clock, batch_size: int = 100, patience: float = 5.0
) -> AsyncIterator[Wired]:
    """A sync that runs until the end of the block."""
    seen: list[Progress] = []
    async with httpx.AsyncClient(timeout=patience) as client:
        api = Api(client, service.url, "phone", LOGIN, monotonic=clock.monotonic)
        sync = Sync(queue, api, clock.work(), batch_size, seen.append)
        running = asyncio.ensure_future(sync.run())
        try:
            yield Wired(queue, sync, seen)
        finally:
            running.cancel()
            await asyncio.wait([running])
