"""A thousand simulated devices: heartbeats every 25 seconds and 50 batches a second, for five minutes."""

import asyncio
import itertools
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from stockverify.services.embedded import Backends
from tests.bench.measured import centile, resident_mib, slope_per_minute
from tests.service import PASSWORD, Service, record, running_service

DEVICES = 1000
PEOPLE = 50
HEARTBEAT_SECONDS = 25.0
BATCHES_PER_SECOND = 50
RECORDS_PER_BATCH = 20
SECONDS = float(os.environ.get("STOCKVERIFY_BENCH_SECONDS", "300"))

pytestmark = pytest.mark.bench


class Device:
    """One connection, one login, one rack."""

    def __init__(self, client: httpx.AsyncClient, grant: dict[str, Any]) -> None:
        self.client, self.grant = client, grant
        self.numbers = itertools.count(1)
        self.busy = asyncio.Lock()

    async def beat(self) -> httpx.Response:
        async with self.busy:
            return await self.client.post(f"/api/sessions/{self.grant['session_id']}/heartbeat")

    async def send(self) -> httpx.Response:
        rack = self.grant["rack_id"]
        numbers = itertools.islice(self.numbers, RECORDS_PER_BATCH)
        records = [record(self.grant, f"{rack}-{number}", f"ITEM-{number}") for number in numbers]
        async with self.busy:
            return await self.client.post("/api/sync/batch", json={"records": records})


class Tally:
    """What came back, and how long it took."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, list[float]] = {"batch": [], "heartbeat": []}
        self.statuses: Counter[str] = Counter()
        self.acked = 0

    async def timed(self, kind: str, work: Any) -> None:
        started = time.perf_counter()
        try:
            reply = await work
        except httpx.HTTPError as error:
            self.statuses[type(error).__name__] += 1
            return
        self.milliseconds[kind].append((time.perf_counter() - started) * 1000)
        self.statuses[str(reply.status_code)] += 1
        if kind == "batch" and reply.status_code == 200:
            self.acked += len(reply.json()["ok"])


@asynccontextmanager
async def devices(service: Service) -> AsyncIterator[list[Device]]:
    """All devices, logged in and with a rack each."""
    names = [service.person().get("/api/auth/me").json()["username"] for _ in range(PEOPLE)]
    async with AsyncExitStack() as stack:

        async def one(place: int) -> Device:
            headers = {"X-Device-ID": f"d-{place}"}
            client = httpx.AsyncClient(base_url=service.url, headers=headers, timeout=30, verify=False)
            await stack.enter_async_context(client)
            body = {"username": names[place % PEOPLE], "password": PASSWORD}
            tokens = (await client.post("/api/auth/login", json=body)).raise_for_status().json()["data"]
            client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
            grant = (await client.post(f"/api/racks/CROWD-{place}/claim", json={"floor": "Hall"})).raise_for_status()
            return Device(client, grant.json())

        made: list[Device] = []
        for start in range(0, DEVICES, 20):
            made += await asyncio.gather(*(one(place) for place in range(start, start + 20)))
        yield made


async def crowd(made: list[Device], tally: Tally, memory: dict[int, list[tuple[float, float]]]) -> None:
    """Heartbeats and batches at their rates until the time is over."""
    started = time.perf_counter()
    queue = itertools.cycle(random.sample(made, len(made)))

    def left() -> bool:
        return time.perf_counter() - started < SECONDS

    async def beats(device: Device) -> None:
        await asyncio.sleep(random.random() * HEARTBEAT_SECONDS)
        while left():
            await tally.timed("heartbeat", device.beat())
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def batches(group: asyncio.TaskGroup) -> None:
        for number in itertools.count():
            await asyncio.sleep(max(0.0, started + number / BATCHES_PER_SECOND - time.perf_counter()))
            if not left():
                return
            group.create_task(tally.timed("batch", next(queue).send()))

    async def watch() -> None:
        while left():
            for pid, samples in memory.items():
                samples.append((time.perf_counter() - started, resident_mib(pid)))
            await asyncio.sleep(1)

    async with asyncio.TaskGroup() as group:
        for work in (batches(group), watch(), *(beats(device) for device in made)):
            group.create_task(work)


@pytest.fixture
def crowded(embedded: Backends, tmp_path: Path) -> Iterator[Service]:
    settings = msgspec.structs.replace(
        embedded.settings, mongodb_database="crowd", data_dir=tmp_path, rate_limit_strangers=0, access_token_ttl=3600
    )
    with running_service(settings, processes=2) as service:
        yield service


async def test_a_thousand_devices(crowded: Service) -> None:
    tally = Tally()
    memory: dict[int, list[tuple[float, float]]] = {child.pid: [] for child in crowded.children}
    async with devices(crowded) as made:
        await crowd(made, tally, memory)
    for kind, milliseconds in tally.milliseconds.items():
        print(
            f"\n  {kind}: {len(milliseconds) / SECONDS:,.1f} a second,"
            f" p50 {centile(milliseconds, 50):.1f} ms, p99 {centile(milliseconds, 99):.1f} ms,"
            f" longest {max(milliseconds):.0f} ms",
            end="",
        )
    print(f"\n  {DEVICES} devices, {SECONDS:.0f} s: {dict(tally.statuses)}, {tally.acked:,} records acked")
    for pid, samples in memory.items():
        settled = [sample for sample in samples if sample[0] > SECONDS / 5]
        highest = max(mib for _, mib in samples)
        print(f"  process {pid}: at most {highest:.0f} MiB, {slope_per_minute(settled):+.2f} MiB a minute")
