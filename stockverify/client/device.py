"""A counting device: claims a rack, counts with or without network, and brings every count to the service once."""

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from stockverify.client import recovery
from stockverify.client.api import Api
from stockverify.client.clockwork import Clockwork
from stockverify.client.counting import counted, edited
from stockverify.client.exchange import TIMEOUT
from stockverify.client.heartbeat import HEARTBEAT_SECONDS, Heartbeats, Listener
from stockverify.client.memory import Held, Memory
from stockverify.client.problems import (
    AnotherPersonsCounts,
    AnotherRackHeld,
    BadDeviceName,
    CountsNotSent,
    NoRack,
    Offline,
    ServerBusy,
    ServerFailed,
    ServiceRefused,
)
from stockverify.client.queue import Queue
from stockverify.client.records import Entry, Progress, Watcher
from stockverify.client.recovery import Recovery
from stockverify.client.storage import Storage
from stockverify.client.sync import Sync
from stockverify.settings import Settings
from stockverify.wire.racks import AvailableRack, Grant

_DEVICE_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_GONE = (403, 404)


class Device:
    """One device with its file. Make it with `open`."""

    def __init__(
        self,
        queue: Queue,
        memory: Memory,
        api: Api,
        sync: Sync,
        heartbeats: Heartbeats,
        clockwork: Clockwork,
        device_id: str,
    ) -> None:
        self.queue, self.api, self.sync, self.device_id = queue, api, sync, device_id
        self._memory, self._heartbeats, self._clock = memory, heartbeats, clockwork

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        path: Path,
        base_url: str,
        *,
        device_id: str | None = None,
        settings: Settings | None = None,
        client: httpx.AsyncClient | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clockwork: Clockwork | None = None,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        watcher: Watcher = lambda progress: None,
        listener: Listener = lambda news, message: None,
    ) -> AsyncIterator["Device"]:
        """A device that sends and beats until the end of the block; its file keeps everything until the next time.

        `client` is shared by many devices of one process; else one is made, on `transport` when that is given.
        Raises FileInUse, NotADeviceFile, FileUnusable, BadAddress or BadDeviceName.
        """
        settings, clock = settings or Settings(), clockwork or Clockwork()
        async with AsyncExitStack() as stack:
            storage = Storage(path)
            stack.callback(storage.close)
            if client is None:
                client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, timeout=TIMEOUT))
            memory, queue = Memory(storage), Queue(storage, settings.sync_max_retries)
            name = memory.device_id(lambda: checked_name(device_id or f"d-{clock.new_id()}"))
            api = Api(
                client,
                base_url,
                name,
                memory.login,
                memory.keep_login,
                clock.monotonic,
                lambda: about(queue, clock),
                memory.device_token,
            )
            sync = Sync(queue, api, clock, settings.sync_batch_size, watcher)
            heartbeats = Heartbeats(api.heartbeat, clock, listener, heartbeat_seconds)
            device = cls(queue, memory, api, sync, heartbeats, clock, name)
            device._take_up()
            await stack.enter_async_context(_background(sync.run(), heartbeats.run()))
            yield device

    @property
    def progress(self) -> Progress:
        """How many counts stand where, and what keeps them from being sent."""
        return self.sync.progress

    @property
    def held(self) -> Held | None:
        """The rack that this device holds, as far as it knows."""
        return self._memory.held

    @property
    def username(self) -> str | None:
        """Whose counts are on this device."""
        return self._memory.owner

    @property
    def logged_in(self) -> bool:
        """Whether there is a login on this device; the service may have ended it meanwhile."""
        return self._memory.login is not None

    @property
    def lock_lost(self) -> bool:
        """Whether somebody else is known to have the rack; what is counted meanwhile is unconfirmed."""
        return self._heartbeats.lost

    async def enroll(self, code: str) -> str:
        """Become a known device, with a one-time code of an admin; the name that it has got. Raises WrongLogin."""
        enrolled = await self.api.enroll(code, self.device_id)
        self._memory.device_token = enrolled.device_token
        return enrolled.name

    async def log_in(self, username: str, secret: str, *, by_pin: bool = False) -> None:
        """Log in with a password or a PIN. Raises AnotherPersonsCounts, WrongLogin or Offline."""
        owner, progress = self._memory.owner, self.progress
        if owner not in (None, username):
            if pending := progress.waiting + progress.parked:
                raise AnotherPersonsCounts(username=owner, pending=pending)
            self._forget()
        await (self.api.log_in_by_pin if by_pin else self.api.log_in)(username, secret)
        self._memory.owner = username
        self.sync.logged_in()

    async def racks(self, floor: str | None = None) -> list[AvailableRack]:
        """Racks that may be claimed."""
        return await self.api.available_racks(floor)

    async def claim(self, rack_id: str, floor: str = "", take_over: bool = False) -> Grant:
        """Claim a rack; again is harmless, and gives a lost rack back when it is free. Raises AnotherRackHeld."""
        if (held := self.held) and held.rack_id != rack_id:
            raise AnotherRackHeld(rack_id=held.rack_id)
        grant = await self.api.claim(rack_id, floor, take_over)
        self._memory.held = Held(
            rack_id=grant.rack_id,
            session_id=grant.session_id,
            floor=grant.floor,
            fence=grant.fence,
            lock_ttl=grant.lock_ttl,
        )
        self._heartbeats.start(grant.session_id, grant.lock_ttl)
        return grant

    def count(self, item_code: str, verified_qty: float | None, **details: Any) -> Entry:
        """Keep a count, with or without network; it is on the disk when this returns.

        `verified_qty` None means seen but not counted, never zero. `details` are fields of the record: damage_qty, bin,
        serial_numbers, item_condition, mrp and so on. Raises NoRack, BadCount or DiskFull.
        """
        return self.count_many([{"item_code": item_code, "verified_qty": verified_qty, **details}])[0]

    def count_many(self, lines: Iterable[Mapping[str, Any]]) -> list[Entry]:
        """Keep several counts at once, all of them or none. Raises NoRack, BadCount or DiskFull."""
        held = self._required()
        now, new_id = self._clock.now(), self._clock.new_id
        records = [counted(line, held, now, f"c-{new_id()}") for line in lines]
        self.queue.add(records, unconfirmed=self.lock_lost)
        self.sync.written()
        return [self.queue.entry(record.client_record_id) for record in records]

    def edit(self, client_record_id: str, **changes: Any) -> Entry:
        """Correct a count, wherever it stands; its next revision is sent. Raises UnknownCount, BadCount or DiskFull."""
        record = edited(self.queue.entry(client_record_id).record, changes, self._clock.now())
        self.queue.revise(record, unconfirmed=self.lock_lost)
        self.sync.written(client_record_id)
        return self.queue.entry(client_record_id)

    async def drain(self, patient: bool = True) -> Progress:
        """Send what waits. A patient caller waits for every answer, another one is told when trying now has failed."""
        return await self.sync.drain(patient)

    def retry_parked(self) -> None:
        """Send once more what the service refused too often."""
        self.queue.retry_parked()
        self.sync.written()

    async def pause(self) -> str:
        """Keep the rack without heartbeats, for a break."""
        held = self._required()
        message = (await self.api.pause(held.rack_id)).message
        self._heartbeats.pause()
        self._memory.held = msgspec.structs.replace(held, paused=True)
        return message

    async def resume(self) -> str:
        """Go on after a break."""
        held = self._required()
        message = (await self.api.resume(held.rack_id)).message
        self._memory.held = msgspec.structs.replace(held, paused=False)
        self._heartbeats.resume()
        return message

    async def complete(self, patient: bool = True, leave_parked: bool = False) -> str:
        """Send everything, then finish the rack. Raises NoRack or CountsNotSent."""
        held = await self._all_sent(patient, leave_parked)
        try:
            message = (await self.api.complete(held.session_id)).message
        except ServiceRefused as error:
            if error.status in _GONE:
                self._forget()
            raise
        self._forget()
        return message

    async def release(self, patient: bool = True, leave_parked: bool = False) -> str:
        """Send everything, then give the rack back for others. Raises NoRack or CountsNotSent."""
        held = await self._all_sent(patient, leave_parked)
        try:
            message = (await self.api.release(held.rack_id)).message
        except ServiceRefused as error:  # also when it was released before and the reply was lost
            if error.status not in _GONE:
                raise
            message = error.message
        self._forget()
        return message

    async def recover(self) -> Recovery:
        """After a restart: the same session and place again, or a clear word why not. Raises LoginNeeded."""
        if (held := self.held) is None:
            return recovery.nothing_held()
        last = next(iter(self.queue.entries(held.session_id, limit=1)), None)
        try:
            session = await self.api.session(held.session_id)
        except ServiceRefused as error:
            self._forget()
            return recovery.ended(held, last, error.message)
        except (Offline, ServerBusy, ServerFailed) as error:
            return recovery.unknown(held, last, error.message)
        if recovery.is_over(session.status):
            self._forget()
            return recovery.ended(held, last, f"Its session is {session.status}.")
        await self._heartbeats.beat()
        return recovery.resumed(held, last, self.lock_lost)

    def _required(self) -> Held:
        if (held := self.held) is None:
            raise NoRack()
        return held

    async def _all_sent(self, patient: bool, leave_parked: bool) -> Held:
        held = self._required()
        await self.drain(patient)
        waiting, parked = self.queue.unsettled(held.session_id)
        if waiting or (parked and not leave_parked):
            raise CountsNotSent(waiting=waiting, parked=parked)
        return held

    def _forget(self) -> None:
        self._heartbeats.stop()
        self._memory.held = None

    def _take_up(self) -> None:
        """After a restart: beat for the rack that was held."""
        if held := self.held:
            self._heartbeats.start(held.session_id, held.lock_ttl)
            if held.paused:
                self._heartbeats.pause()


def about(queue: Queue, clock: Clockwork) -> dict[str, str]:
    """What the service is told of this device's queue: its length, and the age of its oldest count in seconds."""
    count, oldest = queue.unsent()
    age = (clock.now() - oldest).total_seconds() if oldest else 0.0
    return {"X-Queue-Length": str(count), "X-Queue-Age": f"{max(age, 0.0):.1f}"}


def checked_name(device_id: str) -> str:
    """A name that fits into a header. Raises BadDeviceName."""
    if not _DEVICE_NAME.fullmatch(device_id):
        raise BadDeviceName(device_id=device_id[:80])
    return device_id


@asynccontextmanager
async def _background(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Works that run until the end of the block. One that broke down meanwhile is told then."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end
