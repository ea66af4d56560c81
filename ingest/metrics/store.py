"""Collects the values of all processes, and what only Redis knows."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from ingest.leases.store import LeaseStore
from ingest.metrics import declared, folder
from ingest.metrics.rules import breaker_value
from stockverify.breaker import Breaker
from stockverify.errors import Unavailable

_PAUSE_SECONDS = 1.0
_PATIENCE_SECONDS = 0.5


class MetricsStore:
    """The metrics as Prometheus reads them."""

    def __init__(self, leases: LeaseStore, breakers: Iterable[Breaker]) -> None:
        self._leases, self._breakers = leases, tuple(breakers)

    async def text(self, now: datetime) -> bytes:
        """All metrics of all processes that share the data directory."""
        self.note_breakers()
        devices = await self._live_devices(now)
        return await asyncio.to_thread(_rendered, devices)

    def note_breakers(self) -> None:
        """Write down how the breakers of this process stand."""
        for breaker in self._breakers:
            declared.BREAKER_STATE.labels(breaker.name.lower()).set(breaker_value(breaker.state))

    async def _live_devices(self, now: datetime) -> int | None:
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self._leases.live_devices(now)
        return None


@asynccontextmanager
async def watching_breakers(store: MetricsStore) -> AsyncIterator[None]:
    """A breaker changes with time too, so each process writes down the state of its own every second."""

    async def run() -> None:
        while True:
            store.note_breakers()
            await asyncio.sleep(_PAUSE_SECONDS)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class _Asked:
    """What was asked of Redis, as the library wants it."""

    def __init__(self, devices: int | None) -> None:
        self._devices = devices

    def collect(self) -> Iterable[Metric]:
        if self._devices is not None:
            yield GaugeMetricFamily(declared.LIVE_DEVICES, declared.LIVE_DEVICES_MEANING, value=self._devices)


def _rendered(devices: int | None) -> bytes:
    """Reads one file for each process and type, so it is work for a thread."""
    asked = CollectorRegistry()
    asked.register(_Asked(devices))
    return _of_processes() + generate_latest(asked)


def _of_processes() -> bytes:
    shared = folder.in_use()
    if shared is None:
        return generate_latest(declared.REGISTRY)
    folder.forget_the_dead(shared)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(shared))  # type: ignore[no-untyped-call]
    return generate_latest(registry)
