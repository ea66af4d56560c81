"""Collects the values of all processes, and what only Redis or MongoDB knows."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import NamedTuple

import pymongo
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from pymongo.errors import PyMongoError

from ingest.background import in_background
from ingest.deliveries.store import DeliveryStore
from ingest.leases.store import LeaseStore
from ingest.metrics import declared, folder
from ingest.metrics.rules import breaker_value
from stockverify.breaker import Breaker
from stockverify.errors import Unavailable

_PAUSE_SECONDS = 1.0
_PATIENCE_SECONDS = 0.5


class Mails(NamedTuple):
    """Mails as MongoDB counts them."""

    waiting: int
    of_last_day: dict[str, int]


class MetricsStore:
    """The metrics as Prometheus reads them."""

    def __init__(self, leases: LeaseStore, deliveries: DeliveryStore, breakers: Iterable[Breaker]) -> None:
        self._leases, self._deliveries, self._breakers = leases, deliveries, tuple(breakers)

    async def text(self, now: datetime) -> bytes:
        """All metrics of all processes that share the data directory."""
        self.note_breakers()
        devices, mails = await asyncio.gather(self._live_devices(now), self._mails(now))
        return await asyncio.to_thread(_rendered, _Asked(devices, mails))

    def note_breakers(self) -> None:
        """Write down how the breakers of this process stand."""
        for breaker in self._breakers:
            declared.BREAKER_STATE.labels(breaker.name.lower()).set(breaker_value(breaker.state))

    async def _live_devices(self, now: datetime) -> int | None:
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self._leases.live_devices(now)
        return None

    async def _mails(self, now: datetime) -> Mails | None:
        with suppress(PyMongoError, TimeoutError), pymongo.timeout(_PATIENCE_SECONDS):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return Mails(await self._deliveries.waiting(), await self._deliveries.of_last_day(now))
        return None


@asynccontextmanager
async def watching_breakers(store: MetricsStore) -> AsyncIterator[None]:
    """A breaker changes with time too, so each process writes down the state of its own every second."""

    async def run() -> None:
        while True:
            store.note_breakers()
            await asyncio.sleep(_PAUSE_SECONDS)

    async with in_background(run()):
        yield


class _Asked:
    """What was asked of Redis and of MongoDB, as the library wants it."""

    def __init__(self, devices: int | None, mails: Mails | None) -> None:
        self._devices, self._mails = devices, mails

    def collect(self) -> Iterable[Metric]:
        if self._devices is not None:
            yield GaugeMetricFamily(declared.LIVE_DEVICES, declared.LIVE_DEVICES_MEANING, value=self._devices)
        if self._mails is not None:
            yield GaugeMetricFamily(declared.MAILS_WAITING, declared.MAILS_WAITING_MEANING, value=self._mails.waiting)
            of_day = GaugeMetricFamily(declared.MAILS_OF_LAST_DAY, declared.MAILS_OF_LAST_DAY_MEANING, labels=["state"])
            for state, count in self._mails.of_last_day.items():
                of_day.add_metric([state], count)
            yield of_day


def _rendered(values: _Asked) -> bytes:
    """Reads one file for each process and type, so it is work for a thread."""
    asked = CollectorRegistry()
    asked.register(values)
    return _of_processes() + generate_latest(asked)


def _of_processes() -> bytes:
    shared = folder.in_use()
    if shared is None:
        return generate_latest(declared.REGISTRY)
    folder.forget_the_dead(shared)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(shared))  # type: ignore[no-untyped-call]
    return generate_latest(registry)
