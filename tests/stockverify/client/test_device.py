"""A whole device against the real service: offline, restarted, overtaken, killed."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo.database import Database

from stockverify.client.clockwork import hastened
from stockverify.client.device import Device
from stockverify.client.heartbeat import LockNews
from stockverify.client.problems import (
    AnotherPersonsCounts,
    AnotherRackHeld,
    BadCount,
    BadDeviceName,
    CountsNotSent,
    LoginNeeded,
    NoRack,
    Offline,
)
from stockverify.client.records import Counts, NotTaken, State
from stockverify.client.recovery import RecoveryKind
from stockverify.demo.faults import FaultyTransport
from stockverify.settings import Settings
from tests.service import PASSWORD, Service, claim

Stored = Database[dict[str, Any]]


def hire(service: Service) -> str:
    """A new counter's name."""
    name: str = service.person().get("/api/auth/me").json()["username"]
    return name


@pytest.fixture(scope="module")
def anna(service: Service) -> str:
    """One counter for all tests here, since hashing passwords is slow; devices and racks are fresh in each."""
    return hire(service)


class Bench:
    """One device that can be switched off and on, with a network that can fail."""

    def __init__(self, service: Service, path: Path, username: str) -> None:
        self.service, self.path, self.username, self.rack = service, path, username, service.rack()
        self.news: list[LockNews] = []
        self.network: FaultyTransport

    @asynccontextmanager
    async def on(
        self, drop: float = 0.0, replay: float = 0.0, offline: bool = False, beat: float = 25.0
    ) -> AsyncIterator[Device]:
        self.network = FaultyTransport(httpx.AsyncHTTPTransport(), random.Random(5), drop, replay)
        self.network.offline = offline
        opened: AbstractAsyncContextManager[Device] = Device.open(
            self.path,
            self.service.url,
            settings=Settings(sync_batch_size=10),
            transport=self.network,
            clockwork=hastened(50, random.Random(5)),
            heartbeat_seconds=beat,
            listener=lambda kind, message: self.news.append(kind),
        )
        async with opened as device:
            yield device

    @asynccontextmanager
    async def at_work(self, **how: Any) -> AsyncIterator[Device]:
        """Switched on, logged in, with a rack."""
        async with self.on(**how) as device:
            await device.log_in(self.username, PASSWORD)
            await device.claim(self.rack, "Ground")
            yield device


@pytest.fixture
def bench(service: Service, tmp_path: Path, anna: str) -> Bench:
    return Bench(service, tmp_path / "device.sqlite", anna)


def quantities(stored: Stored, rack: str) -> dict[str, float]:
    return {row["_id"]: row["verified_qty"] for row in stored.verification_records.find({"rack_id": rack})}


def on_device(device: Device) -> dict[str, float | None]:
    return {entry.client_record_id: entry.record.verified_qty for entry in device.queue.entries()}


async def test_a_bad_network_neither_loses_nor_doubles_a_count(bench: Bench, stored: Stored) -> None:
    async with bench.at_work(drop=0.4, replay=0.4) as device:
        for number in range(60):
            bench.network.offline = number % 20 > 10
            entry = device.count(f"ITEM-{number}", number, damage_qty=min(number, 1), bin="3")
            if number % 7 == 0:
                device.edit(entry.client_record_id, verified_qty=number + 0.5)
            await asyncio.sleep(0.002)
        bench.network.offline = False
        progress = await device.drain()
        assert (progress.acked, progress.waiting, progress.conflicts, progress.parked) == (60, 0, 0, 0)
        assert quantities(stored, bench.rack) == on_device(device)
        assert await device.complete() == "Completed."
        assert device.held is None
    count = bench.network.count
    assert (count.dropped_replies > 0, count.replayed_batches > 0) == (True, True)
    assert stored.rack_registry.find_one({"_id": bench.rack})["status"] == "completed"  # type: ignore[index]


async def test_after_a_restart_the_same_session_and_place_are_back(bench: Bench, stored: Stored) -> None:
    async with bench.at_work() as device:
        session_id = device.held.session_id  # type: ignore[union-attr]
        bench.network.offline = True
        device.count("A", 1)
        last = device.count("B", 2, bin="7")
    async with bench.on() as device:
        recovery = await device.recover()
        assert (recovery.kind, recovery.message) == (RecoveryKind.RESUMED, f"You are back in rack {bench.rack}.")
        assert (recovery.held, recovery.last and recovery.last.record) == (device.held, last.record)
        device.count("C", 3)
        assert (await device.drain()).acked == 3
    rows = stored.verification_records.find({"rack_id": bench.rack}, {"session_id": 1, "device_id": 1, "_id": 0})
    assert list(rows) == [{"session_id": session_id, "device_id": device.device_id}] * 3


async def test_a_restart_without_network_goes_on_counting(bench: Bench) -> None:
    async with bench.at_work():
        pass
    async with bench.on(offline=True) as device:
        recovery = await device.recover()
        assert (recovery.kind, recovery.held) == (RecoveryKind.UNKNOWN, device.held)
        device.count("A", 1)
        bench.network.offline = False
        assert (await device.drain()).acked == 1


async def test_a_rack_that_was_taken_away_is_told_at_the_restart_and_the_counts_are_kept(
    bench: Bench, service: Service, stored: Stored
) -> None:
    async with bench.at_work():
        pass
    async with bench.on(offline=True) as device:
        device.count("A", 1)
    boss = service.person("supervisor")
    boss.post(f"/api/racks/{bench.rack}/force-release", json={"reason": "phone lost"}).raise_for_status()
    async with bench.on() as device:
        recovery = await device.recover()
        assert (recovery.kind, device.held) == (RecoveryKind.ENDED, None)
        assert recovery.message.startswith(f"Rack {bench.rack} cannot be continued: Its session is closed.")
        with pytest.raises(NoRack):
            device.count("B", 2)
        assert (await device.drain()).conflicts == 1
        assert [conflict.conflict_type for conflict in device.queue.conflicts()] == ["rack_locked"]
    assert stored.sync_conflicts.count_documents({"local_data.rack_id": bench.rack}) == 1


async def test_nothing_to_recover_is_said(bench: Bench) -> None:
    async with bench.on() as device:
        assert (await device.recover()).kind is RecoveryKind.NOTHING


async def test_a_lost_lock_is_told_once_and_later_counts_are_unconfirmed_but_sent(
    bench: Bench, service: Service
) -> None:
    async with bench.at_work(beat=2.0) as device:
        before = device.count("A", 1)
        await device.drain()
        service.person("admin").post(
            f"/api/racks/{bench.rack}/force-release", json={"reason": "gone"}
        ).raise_for_status()
        claim(service.person(), bench.rack)
        async with asyncio.timeout(5):
            while not device.lock_lost:  # noqa: ASYNC110 - the news comes from the service
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        after = device.count("B", 2)
        assert (before.unconfirmed, after.unconfirmed, bench.news) == (False, True, [LockNews.LOST])
        progress = await device.drain()
        assert (progress.acked, progress.conflicts) == (1, 1)


async def test_a_pause_keeps_the_rack_and_ends(bench: Bench, service: Service) -> None:
    async with bench.at_work() as device:
        await device.pause()
        assert device.held is not None
        assert device.held.paused is True
    async with bench.on() as device:
        assert (await device.recover()).message.endswith("It is paused; resume to go on.")
        await device.resume()
        status = service.admin.get(f"/api/racks/{bench.rack}/status").json()
        assert (status["status"], device.held and device.held.paused) == ("active", False)


async def test_releasing_what_is_released_already_is_no_error(bench: Bench) -> None:
    async with bench.at_work() as device:
        await device.api.release(bench.rack)
        assert "is not held by you" in await device.release()
        assert device.held is None


async def test_a_rack_is_not_finished_while_counts_wait_or_are_parked(bench: Bench) -> None:
    async with bench.at_work() as device:
        bench.network.offline = True
        entry = device.count("A", 1)
        with pytest.raises(CountsNotSent, match="1 counts wait to be sent and 0 are parked"):
            await device.complete(patient=False)
        assert device.held is not None
        device.edit(entry.client_record_id, verified_qty=2)
        bench.network.offline = False
        await device.complete()


async def test_a_parked_count_keeps_the_rack_until_it_is_edited_or_left(bench: Bench, stored: Stored) -> None:
    async with bench.at_work() as device:
        bench.network.offline = True
        entry = device.count("A", 1)
        await device.drain(patient=False)
        for _ in range(5):
            batch = device.queue.take(1)
            device.queue.settle(batch, {entry.client_record_id: NotTaken("Not readable.")})
        bench.network.offline = False
        with pytest.raises(CountsNotSent, match="0 counts wait to be sent and 1 are parked"):
            await device.complete()
        device.edit(entry.client_record_id, verified_qty=4)
        await device.complete()
    assert quantities(stored, bench.rack) == {entry.client_record_id: 4.0}


async def test_counts_of_one_person_are_not_sent_under_another_name(bench: Bench, service: Service) -> None:
    async with bench.at_work() as device:
        bench.network.offline = True
        device.count("A", 1)
        other = hire(service)
        with pytest.raises(AnotherPersonsCounts, match=f"keeps 1 counts of {bench.username}"):
            await device.log_in(other, PASSWORD)
        bench.network.offline = False
        await device.drain()
        await device.log_in(other, PASSWORD)
        assert (device.username, device.held) == (other, None)


async def test_after_a_logout_elsewhere_a_new_login_sends_what_waits(bench: Bench, stored: Stored) -> None:
    async with bench.at_work() as device:
        bench.network.offline = True
        device.count("A", 1)
        stored.users.update_one({"username": bench.username}, {"$set": {"logins": []}})
        bench.network.offline = False
        with pytest.raises(LoginNeeded):
            await device.drain()
        assert (device.logged_in, device.queue.counts()) == (False, Counts(queued=1))
        await device.log_in(bench.username, PASSWORD)
        assert (await device.drain()).acked == 1


async def test_one_rack_at_a_time(bench: Bench) -> None:
    async with bench.at_work() as device:
        with pytest.raises(AnotherRackHeld, match=bench.rack):
            await device.claim("ANOTHER")
        again = await device.claim(bench.rack)
        assert again.session_id == device.held.session_id  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"item_code": "", "verified_qty": 1}, "Expected `str` of length >= 1 - at `item_code`"),
        ({"item_code": "A", "verified_qty": -1}, "quantities cannot be negative"),
        ({"item_code": "A", "verified_qty": 1, "damage_qty": 2}, "more damaged (2) than counted (1)"),
        ({"item_code": "A", "verified_qty": None, "damage_qty": 1}, "more damaged (1) than counted (0)"),
        ({"item_code": "A", "verified_qty": float("nan")}, "Expected `float` >= -1000000000000.0"),
        ({"item_code": "A", "verified_qty": "5"}, "Expected `float | null`, got `str` - at `verified_qty`"),
        ({"item_code": "A", "verified_qty": 1, "colour": "red"}, "'colour' is no field that a counter enters"),
        ({"item_code": "A", "verified_qty": 1, "session_id": "x"}, "'session_id' is no field"),
        ({"item_code": "\ud800", "verified_qty": 1}, "surrogates not allowed"),
    ],
)
async def test_a_wrong_count_is_told_at_the_shelf(bench: Bench, fields: dict[str, Any], reason: str) -> None:
    async with bench.at_work() as device:
        with pytest.raises(BadCount) as caught:
            device.count_many([{"item_code": "GOOD", "verified_qty": 1}, fields])
        assert reason in caught.value.message
        assert device.queue.entries() == []


async def test_seen_but_not_counted_is_partial_until_it_is_counted(bench: Bench, stored: Stored) -> None:
    async with bench.at_work() as device:
        entry = device.count("A", None)
        await device.drain()
        assert quantities(stored, bench.rack) == {entry.client_record_id: None}
        counted = device.edit(entry.client_record_id, verified_qty=0)
        assert (counted.record.status, counted.revision, counted.state) == ("finalized", 2, State.QUEUED)
        await device.drain()
        assert quantities(stored, bench.rack) == {entry.client_record_id: 0.0}


async def test_without_network_a_login_says_so_and_a_bad_name_is_refused(bench: Bench, tmp_path: Path) -> None:
    async with bench.on(offline=True) as device:
        with pytest.raises(Offline):
            await device.log_in(bench.username, PASSWORD)
    with pytest.raises(BadDeviceName):
        async with Device.open(tmp_path / "x", "http://127.0.0.1:1", device_id="a\r\nb"):
            pass


KILLED = """
import asyncio, sys
from pathlib import Path
from stockverify.client.device import Device
from stockverify.settings import Settings

async def work(path, url, username, password, rack):
    def say(progress):
        print(progress.acked, flush=True)
    async with Device.open(Path(path), url, settings=Settings(sync_batch_size=4), watcher=say) as device:
        if not device.held:
            await device.log_in(username, password)
            await device.claim(rack)
        for number in range(1000):
            device.count(f"ITEM-{len(device.queue.entries())}", number)
            await asyncio.sleep(0)

asyncio.run(work(*sys.argv[1:]))
"""


def run_and_kill(bench: Bench, acked: int) -> None:
    """Let a device work in a process of its own until so many counts are acknowledged, then kill it."""
    arguments = [str(bench.path), bench.service.url, bench.username, PASSWORD, bench.rack]
    with subprocess.Popen([sys.executable, "-c", KILLED, *arguments], stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout
        while int(victim.stdout.readline()) < acked:
            pass
        os.kill(victim.pid, signal.SIGKILL)


async def test_kill_9_in_the_middle_of_sending_loses_and_doubles_nothing(bench: Bench, stored: Stored) -> None:
    for acked in (1, 40, 90):
        await asyncio.to_thread(run_and_kill, bench, acked)
    async with bench.on() as device:
        assert (await device.recover()).kind is RecoveryKind.RESUMED
        progress = await device.drain()
        names = sorted(on_device(device))
        assert progress.acked == len(names) >= 90
        assert quantities(stored, bench.rack) == on_device(device)
    assert stored.sync_conflicts.count_documents({"local_data.rack_id": bench.rack}) == 0
    assert stored.record_history.count_documents({"client_record_id": {"$in": names}}) == 0
