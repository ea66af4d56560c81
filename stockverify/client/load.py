"""A load simulator: many devices of one person count in racks of their own and send everything."""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from stockverify.client.clockwork import Clockwork
from stockverify.client.device import Device
from stockverify.client.exchange import TIMEOUT
from stockverify.client.problems import ServerBusy
from stockverify.client.records import Progress
from stockverify.client.retry import until_answered
from stockverify.errors import StockVerifyError
from stockverify.settings import Settings

MAX_DEVICES = 100
"""A person can have this many open logins, one for each device."""

_CHUNK = 20


class LoadPlan(Struct, frozen=True, kw_only=True):
    """Who counts how much, and in how many seconds; 0 is as fast as possible."""

    url: str
    username: str
    password: str
    devices: int
    records: int
    seconds: float = 0.0


class LoadSummary(Struct, frozen=True, kw_only=True):
    """What became of the counts, and how the service kept up. `errors` are batches that failed or were refused.

    Latency is the time from sending a batch to the first byte of its reply; seconds run from the first count of all to
    the last answer, without logins and claims.
    """

    devices: int
    records: int
    acked: int
    conflicts: int
    parked: int
    errors: int
    batches: int
    latency_p50_ms: float
    latency_p95_ms: float
    seconds: float
    records_per_second: float


class _Measured(httpx.AsyncHTTPTransport):
    """Notes how long each batch takes."""

    def __init__(self, connections: int) -> None:
        super().__init__(limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections))
        self.milliseconds: list[float] = []
        self.errors = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/api/sync/batch":
            return await super().handle_async_request(request)
        started = time.perf_counter()
        try:
            reply = await super().handle_async_request(request)
        except httpx.HTTPError:
            self.errors += 1
            raise
        finally:
            self.milliseconds.append((time.perf_counter() - started) * 1000)
        self.errors += reply.status_code >= 400
        return reply


class _Crew:
    """All devices begin to count together, once the last of them is logged in and has its rack."""

    def __init__(self, ready: asyncio.Barrier) -> None:
        self.ready = ready
        self.started = self.finished = 0.0


async def run_load(plan: LoadPlan, folder: Path, settings: Settings, tell: Callable[[int], None]) -> LoadSummary:
    """Run the plan with the devices' files in `folder`; `tell` hears how many more counts have their answer."""
    transport, crew = _Measured(2 * plan.devices), _Crew(asyncio.Barrier(plan.devices))
    async with httpx.AsyncClient(transport=transport, timeout=TIMEOUT) as client:
        tasks: list[asyncio.Task[Progress]] = []
        try:
            async with asyncio.TaskGroup() as group:
                tasks += [
                    group.create_task(_one_device(plan, folder / f"{n}.db", n, client, settings, tell, crew))
                    for n in range(plan.devices)
                ]
        except BaseExceptionGroup as group_of_errors:
            raise _first(group_of_errors) from None
    return _summary(plan, [task.result() for task in tasks], transport, crew.finished - crew.started)


async def _one_device(
    plan: LoadPlan,
    path: Path,
    place: int,
    client: httpx.AsyncClient,
    settings: Settings,
    tell: Callable[[int], None],
    crew: _Crew,
) -> Progress:
    answered, clock = 0, Clockwork()

    def watch(progress: Progress) -> None:
        nonlocal answered
        now = progress.acked + progress.conflicts + progress.parked
        tell(now - answered)
        answered = now

    async with Device.open(path, plan.url, settings=settings, client=client, clockwork=clock, watcher=watch) as device:
        await until_answered(lambda: device.log_in(plan.username, plan.password), clock, failures=(ServerBusy,))
        await until_answered(lambda: device.claim(f"LOAD-{device.device_id[2:10]}-{place}", "Load"), clock)
        await crew.ready.wait()
        crew.started = crew.started or time.perf_counter()
        for chunk in _chunks(plan.records):
            device.count_many(_line(number) for number in chunk)
            await asyncio.sleep(plan.seconds * len(chunk) / plan.records)
        await device.drain()
        crew.finished = time.perf_counter()
        await until_answered(lambda: device.complete(leave_parked=True), clock)
        return device.progress


def _chunks(records: int) -> Iterator[range]:
    return (range(start, min(start + _CHUNK, records)) for start in range(0, records, _CHUNK))


def _line(number: int) -> dict[str, Any]:
    return {"item_code": f"LOAD-{number:05d}", "verified_qty": float(number % 40), "damage_qty": 0.0}


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure to tell of: one of the house when there is one."""
    known = group.subgroup(StockVerifyError)
    found: BaseException = known or group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


def _summary(plan: LoadPlan, ends: list[Progress], transport: _Measured, seconds: float) -> LoadSummary:
    acked = sum(end.acked for end in ends)
    centiles = statistics.quantiles(transport.milliseconds * 2, n=100, method="inclusive")
    return LoadSummary(
        devices=plan.devices,
        records=plan.devices * plan.records,
        acked=acked,
        conflicts=sum(end.conflicts for end in ends),
        parked=sum(end.parked for end in ends),
        errors=transport.errors,
        batches=len(transport.milliseconds),
        latency_p50_ms=round(centiles[49], 1),
        latency_p95_ms=round(centiles[94], 1),
        seconds=round(seconds, 3),
        records_per_second=round(acked / seconds, 1),
    )
