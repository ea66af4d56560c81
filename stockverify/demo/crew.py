"""The counters of the demo: real devices with real queues, on networks that fail, and three real quarrels."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx

from stockverify.client.clockwork import Clockwork, hastened
from stockverify.client.device import Device
from stockverify.client.problems import ServiceRefused
from stockverify.client.records import Entry
from stockverify.client.retry import until_answered
from stockverify.demo.books import Counted
from stockverify.demo.faults import FaultyTransport
from stockverify.demo.office import Office, Person
from stockverify.demo.pace import Watch
from stockverify.demo.shelves import Line, Reading
from stockverify.settings import Settings

DROP_REPLY = 0.12
REPLAY = 0.15
OFFLINE_SPELL = 0.35
STRAY_SERIAL = "STRAY-0001"
PRESSES = 60

HASTE = 5.0
"""Devices of the demo wait this many times shorter than real ones, so that nobody has to watch them wait."""

Readings = Mapping[str, Sequence[Reading]]


class Counter(NamedTuple):
    """A person with a device, and the bad network between the device and the service."""

    device: Device
    network: FaultyTransport
    rng: random.Random
    clock: Clockwork
    watch: Watch

    async def insist(self, work: Callable[[], Awaitable[object]]) -> None:
        """Press the button again while nothing answers."""
        await until_answered(work, self.clock, PRESSES)


class Crew:
    """All counters at once."""

    def __init__(self, counters: Sequence[Counter], office: Office) -> None:
        self._counters, self._office = counters, office
        self.refused_claims = 0
        self.offline_spells = 0

    async def count(self, readings: Readings, in_haste: str | None = None) -> None:
        """Count these racks, each by whoever is free, and one of them in haste; return when everything has its
        answer."""
        waiting = asyncio.Queue[str]()
        for rack_id in readings:
            waiting.put_nowait(rack_id)
        async with asyncio.TaskGroup() as group:
            for counter in self._counters:
                group.create_task(self._work(counter, waiting, readings, in_haste))

    async def quarrel(self, readings: Readings, meanwhile: Callable[[Readings], Awaitable[None]]) -> set[str]:
        """Three ways in which counts contradict each other: one before, and two after what the others do meanwhile
        with the other racks, so that not all of it happens at once. Returns the racks that there was a quarrel over."""
        racks = [rack_id for rack_id, lines in readings.items() if len(lines) > 1][:4]
        if len(racks) < 4:  # a list of a few racks has no room for quarrels
            await meanwhile(readings)
            return set()
        pick = [self._counters[place % len(self._counters)] for place in range(4)]
        await self._overtaken(pick[0], pick[1], racks[0], readings[racks[0]])
        await meanwhile({rack_id: lines for rack_id, lines in readings.items() if rack_id not in racks})
        async with asyncio.TaskGroup() as group:
            group.create_task(self._same_serial_twice(pick[0], pick[1], racks[2:4], readings))
            group.create_task(self._same_item_twice(pick[2], pick[3], racks[1], readings[racks[1]]))
        return set(racks)

    def counted(self) -> list[Counted]:
        """Every record as its device knows it."""
        return [_as_counted(entry) for counter in self._counters for entry in counter.device.queue.entries()]

    def mishaps(self) -> dict[str, int]:
        """What the networks and the racks did to the counters."""
        faults = [counter.network.count for counter in self._counters]
        return {
            "replies_lost": sum(each.dropped_replies for each in faults),
            "batches_replayed": sum(each.replayed_batches for each in faults),
            "calls_without_network": sum(each.refused_while_offline for each in faults),
            "offline_spells": self.offline_spells,
            "claims_refused": self.refused_claims,
        }

    async def _work(
        self, counter: Counter, waiting: "asyncio.Queue[str]", readings: Readings, in_haste: str | None
    ) -> None:
        while not waiting.empty():
            rack_id = waiting.get_nowait()
            await self._claim(counter, rack_id, readings[rack_id])
            counter.watch.start(len(readings[rack_id]), in_haste=rack_id == in_haste)
            await self._read_shelf(counter, readings[rack_id])
            await counter.insist(counter.device.complete)

    async def _read_shelf(self, counter: Counter, lines: Sequence[Reading]) -> None:
        """Count line by line, sometimes without network, and correct a slip now and then."""
        spell = counter.rng.random() < OFFLINE_SPELL
        self.offline_spells += spell
        counter.network.offline = spell
        for reading in lines:
            entry = _enter(counter, reading)
            await asyncio.sleep(counter.rng.uniform(0, 0.01))
            if reading.first is not None:
                counter.device.edit(entry.client_record_id, verified_qty=reading.verified, damage_qty=reading.damaged)
        counter.network.offline = False
        counter.device.sync.online()

    async def _claim(self, counter: Counter, rack_id: str, lines: Sequence[Reading]) -> None:
        floor = lines[0].line.floor if lines else ""
        await counter.insist(lambda: counter.device.claim(rack_id, floor))

    async def _overtaken(self, first: Counter, second: Counter, rack_id: str, lines: Sequence[Reading]) -> None:
        """Two devices meet on one rack: one is offline with its counts, the other gets the rack meanwhile."""
        await self._claim(first, rack_id, lines)
        try:
            await second.device.claim(rack_id)
        except ServiceRefused:
            self.refused_claims += 1
        first.network.offline = True
        first.watch.start(len(lines))
        for reading in lines:
            _enter(first, reading)
        await asyncio.to_thread(self._office.force_release, rack_id, "The counter cannot be reached")
        await self._claim(second, rack_id, lines)
        await self._count_all(second, lines)
        first.network.offline = False
        first.device.sync.online()
        await first.insist(first.device.release)

    async def _same_item_twice(self, first: Counter, second: Counter, rack_id: str, lines: Sequence[Reading]) -> None:
        """A rack changes hands in the middle, and the second counter starts from its top, and finds one less."""
        await self._claim(first, rack_id, lines)
        some = [each._replace(verified=each.verified + 1) for each in lines[: max(1, len(lines) // 3)]]
        first.watch.start(len(some))
        for reading in some:
            _enter(first, reading)
        await first.insist(first.device.release)
        await self._claim(second, rack_id, lines)
        await self._count_all(second, lines)

    async def _same_serial_twice(
        self, first: Counter, second: Counter, racks: Sequence[str], readings: Readings
    ) -> None:
        """The same serial number is read on two racks."""
        for counter, rack_id in zip((first, second), racks, strict=True):
            lines = list(readings[rack_id])
            lines[0] = lines[0]._replace(serials=(*lines[0].serials, STRAY_SERIAL))
            await self._claim(counter, rack_id, lines)
            await self._count_all(counter, lines)

    async def _count_all(self, counter: Counter, lines: Sequence[Reading]) -> None:
        """Count a rack that is held, and finish it."""
        counter.watch.start(len(lines))
        for reading in lines:
            _enter(counter, reading)
        await counter.insist(counter.device.complete)


@asynccontextmanager
async def crew(
    people: Sequence[Person], api: str, folder: Path, settings: Settings, office: Office, seed: int
) -> AsyncIterator[Crew]:
    """Devices for these people, logged in; each has a queue in `folder` and a bad network of its own."""
    async with AsyncExitStack() as stack:
        counters = []
        for place, person in enumerate(people):
            rng = random.Random(f"{seed}/{place}")
            network = FaultyTransport(httpx.AsyncHTTPTransport(), rng, drop_reply=DROP_REPLY, replay=REPLAY)
            path = folder / f"{person.username}.sqlite"
            watch = Watch(random.Random(f"{seed}/{place}/watch"))
            clock = hastened(HASTE, random.Random(f"{seed}/{place}/clock"), watch.now)
            name = f"handheld-{place + 1}"
            opened = Device.open(path, api, device_id=name, settings=settings, transport=network, clockwork=clock)
            device = await stack.enter_async_context(opened)
            counters.append(Counter(device, network, rng, clock, watch))
            await counters[-1].insist(partial(device.log_in, person.username, person.password))
        yield Crew(counters, office)


def _enter(counter: Counter, reading: Reading) -> Entry:
    """Enter a reading, with its slip first if it has one."""
    line: Line = reading.line
    slip = reading.first is not None
    counter.watch.counted()
    return counter.device.count(
        line.item_code,
        reading.first if slip else reading.verified,
        damage_qty=0.0 if slip else reading.damaged,
        bin=line.bin or None,
        serial_numbers=reading.serials,
        uom=line.uom or None,
        category=line.category or None,
    )


def _as_counted(entry: Entry) -> Counted:
    return Counted(entry.client_record_id, str(entry.state), entry.record.verified_qty)
