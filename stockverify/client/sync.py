"""Brings queued counts to the service: two batches at a time, again and again until each count has its answer.

A failure of the connection pauses sending and blames no record. A batch that is refused as a whole is halved until
the record that spoils it stands alone. Only refusals of a record itself count against it; after some it is parked.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence

import msgspec

from stockverify.client.api import Api
from stockverify.client.backoff import delay
from stockverify.client.clockwork import Clockwork
from stockverify.client.problems import (
    LoginNeeded,
    Offline,
    ServerFailed,
    ServiceRefused,
    SyncStopped,
    TooSlow,
)
from stockverify.client.queue import Queue
from stockverify.client.records import NotTaken, Outcome, Progress, Sending, Watcher
from stockverify.client.replies import outcomes
from stockverify.client.retry import pause_after
from stockverify.errors import StockVerifyError

LANES = 2
"""Batches in flight at the same time; more would only wait for each other at the rack's fence."""

PROBE_SECONDS = 15.0
"""How often a device without connection asks whether the service can be reached again, on the average."""

_ABOUT_THE_CONTENT = (400, 413, 422)


class Sync:
    """Sends what the queue holds for as long as `run` runs, and tells `watcher` how far it is."""

    def __init__(
        self, queue: Queue, api: Api, clockwork: Clockwork, batch_size: int, watcher: Watcher = lambda progress: None
    ) -> None:
        self._queue, self._api, self._clock, self._watcher = queue, api, clockwork, watcher
        self._batch_size = self._limit = batch_size
        self._flights = self._failures = 0
        self._paused_until = self._probe_at = -math.inf
        self._not_before: dict[str, float] = {}
        self._error: str | None = None
        self._login_needed: LoginNeeded | None = None
        self._offline = self._idle = self._ended = False
        self._wake, self._changed = asyncio.Event(), asyncio.Event()
        self._told: Progress | None = None

    @property
    def progress(self) -> Progress:
        """How far sending is."""
        return Progress(*self._queue.counts(), last_error=self._error, offline=self._offline)

    def written(self, client_record_id: str | None = None) -> None:
        """There is a new count, or a new revision of this one: look into the queue, unless sending pauses."""
        if client_record_id is not None:
            self._not_before.pop(client_record_id, None)
        self._tell()
        self._wake.set()

    def online(self) -> None:
        """The network is back: end the pause and try now."""
        self._failures, self._paused_until = 0, -math.inf
        self._idle = False
        self._wake.set()

    def logged_in(self) -> None:
        """There is a new login: go on."""
        self._login_needed = None
        self.online()

    async def run(self) -> None:
        """Send until cancelled. Never ends by a failure of the network, the service or a record."""
        try:
            async with asyncio.TaskGroup() as lanes:
                while True:
                    self._start(lanes)
                    await self._rest()
        finally:
            self._ended = True
            self._tell()

    async def drain(self, patient: bool = True) -> Progress:
        """Return when every count has its answer; an impatient caller is also answered when trying now has failed.

        Raises LoginNeeded or SyncStopped.
        """
        self.online()
        while (progress := self.progress).waiting and (patient or not self._idle):
            if self._login_needed is not None:
                raise self._login_needed
            if self._ended:
                raise SyncStopped()
            await self._changed.wait()
        return progress

    def _start(self, lanes: asyncio.TaskGroup) -> None:
        now = self._clock.monotonic()
        self._not_before = {name: due for name, due in self._not_before.items() if due > now}
        while self._login_needed is None and now >= self._paused_until and self._flights < LANES:
            batch = self._queue.take(self._limit, self._not_before.keys())
            if not batch:
                break
            self._flights += 1
            lanes.create_task(self._push(batch))
        self._idle = not self._flights
        self._tell()

    async def _rest(self) -> None:
        """Sleep until something is due or somebody calls; without connection, ask now and then whether it is back."""
        await self._nap(self._until_due())
        now = self._clock.monotonic()
        if self._offline and self._probe_at <= now < self._paused_until:
            self._plan_probe()
            if await self._api.reachable():
                self._paused_until = -math.inf

    def _until_due(self) -> float | None:
        """Seconds until the next thing to do that nobody calls for; None when there is none."""
        now = self._clock.monotonic()
        if self._login_needed is not None:
            return None
        if self._paused_until > now:
            return min(self._paused_until, self._probe_at if self._offline else math.inf) - now
        if self._not_before and self._flights < LANES:
            return min(self._not_before.values()) - now
        return None

    async def _nap(self, seconds: float | None) -> None:
        called = asyncio.ensure_future(self._wake.wait())
        slept = asyncio.ensure_future(self._clock.sleep(max(seconds, 0.0))) if seconds is not None else None
        try:
            await asyncio.wait([each for each in (called, slept) if each], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (called, slept):
                if each is not None:
                    each.cancel()
        self._wake.clear()

    async def _push(self, batch: Sequence[Sending]) -> None:
        """One lane's work on one batch; whatever happens, the batch is in flight no more at the end."""
        try:
            await self._deliver(batch)
        except LoginNeeded as error:
            self._login_needed, self._error, self._offline = error, error.message, False
        except StockVerifyError as error:
            self._failed(error)
        else:
            self._limit = min(self._batch_size, self._limit * 2)
        finally:
            self._queue.give_back(batch)
            self._flights -= 1
            self._wake.set()

    async def _deliver(self, batch: Sequence[Sending]) -> None:
        try:
            reply = await self._api.sync(body(batch, f"b-{self._clock.new_id()}"))
        except ServiceRefused as error:
            if error.status not in _ABOUT_THE_CONTENT:
                raise
            await self._isolate(batch, error)
            return
        except (ServerFailed, TooSlow):
            self._shrink(batch)
            raise
        found = outcomes([each.client_record_id for each in batch], reply)
        if not found:
            self._shrink(batch)
            raise ServerFailed(status=200, detail="The reply names none of the records that were sent.")
        self._failures, self._offline = 0, False
        if not self._not_before:
            self._error = None
        self._settle(batch, found)

    async def _isolate(self, batch: Sequence[Sending], error: ServiceRefused) -> None:
        """Halve a batch that was refused as a whole; a single record that is refused takes the blame."""
        self._failures, self._offline = 0, False
        if len(batch) == 1:
            self._settle(batch, {batch[0].client_record_id: NotTaken(error.message)})
            return
        self._shrink(batch)
        middle = len(batch) // 2
        await self._deliver(batch[:middle])
        await self._deliver(batch[middle:])

    def _settle(self, batch: Sequence[Sending], found: Mapping[str, Outcome]) -> None:
        self._queue.settle(batch, found)
        now = self._clock.monotonic()
        for each in batch:
            outcome = found.get(each.client_record_id)
            if isinstance(outcome, NotTaken):
                self._error = outcome.message
                self._not_before[each.client_record_id] = now + delay(each.attempts + 1, self._clock.rng)
        self._tell()

    def _shrink(self, batch: Sequence[Sending]) -> None:
        """Try with less; a record that fails even alone lets the others pass first."""
        self._limit = max(1, len(batch) // 2)
        if len(batch) == 1:
            wait = delay(self._failures + 2, self._clock.rng)
            self._not_before[batch[0].client_record_id] = self._clock.monotonic() + wait

    def _failed(self, error: StockVerifyError) -> None:
        """Pause, for as long as the service asks for or longer each time. Two lanes that fail at once fail once."""
        now = self._clock.monotonic()
        self._error, self._offline = error.message, isinstance(error, Offline)
        if now >= self._paused_until:
            self._failures += 1
        self._paused_until = max(self._paused_until, now + pause_after(error, self._failures, self._clock.rng))
        self._plan_probe()

    def _plan_probe(self) -> None:
        self._probe_at = self._clock.monotonic() + PROBE_SECONDS * self._clock.rng.uniform(0.5, 1.5)

    def _tell(self) -> None:
        """Wake those who wait for progress, and show it to the watcher when it has changed."""
        self._changed.set()
        self._changed = asyncio.Event()
        if (progress := self.progress) != self._told:
            self._told = progress
            self._watcher(progress)


def body(batch: Sequence[Sending], batch_id: str) -> bytes:
    """A batch as JSON; the records are JSON already."""
    return msgspec.json.encode({"records": [msgspec.Raw(each.content) for each in batch], "batch_id": batch_id})
