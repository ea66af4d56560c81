"""Keeps the claim on a rack alive, and says so once when it was lost or is about to be."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

from stockverify.client.clockwork import Clockwork
from stockverify.client.problems import ServiceRefused
from stockverify.errors import StockVerifyError
from stockverify.wire.sessions import Heartbeat

HEARTBEAT_SECONDS = 25.0
"""A claim lives 60 seconds without a heartbeat, so that one may be lost on the way."""

RETRY_SECONDS = 5.0
"""A heartbeat that did not arrive is sent again after this, well before the claim ends."""

_GONE = (403, 404)


class LockNews(StrEnum):
    """What a counter must know about the claim on the rack."""

    LOST = "lost"
    REGAINED = "regained"
    LOW = "low"


Listener = Callable[[LockNews, str], None]


class Heartbeats:
    """Beats while a session is held and not paused. Each piece of news is told once, not at each beat."""

    def __init__(
        self,
        beat: Callable[[str], Awaitable[Heartbeat]],
        clockwork: Clockwork,
        listener: Listener = lambda news, message: None,
        seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._beat, self._clock, self._listener, self._seconds = beat, clockwork, listener, seconds
        self._session_id: str | None = None
        self._ends_at = 0.0
        self._beating = asyncio.Event()
        self._lost = self._low = False

    @property
    def lost(self) -> bool:
        """Whether the rack is known to be no longer ours; what is counted meanwhile is unconfirmed."""
        return self._lost

    def start(self, session_id: str, lock_ttl: float) -> None:
        """A rack was claimed: beat for its session from now on."""
        self._session_id, self._lost, self._low = session_id, False, False
        self._ends_at = self._clock.monotonic() + lock_ttl
        self._beating.set()

    def stop(self) -> None:
        """The rack is completed or released."""
        self._session_id, self._lost = None, False
        self._beating.clear()

    def pause(self) -> None:
        """Beat no more for now; the rack stays reserved."""
        self._beating.clear()

    def resume(self) -> None:
        """Go on beating for the same session."""
        if self._session_id is not None:
            self._beating.set()

    async def run(self) -> None:
        """Beat until cancelled. Never ends by a failure of the network or the service."""
        while True:
            await self._beating.wait()
            await self._clock.sleep(self._seconds if await self.beat() else min(RETRY_SECONDS, self._seconds))

    async def beat(self) -> bool:
        """One heartbeat; False when it did not arrive and should be tried again soon."""
        session_id = self._session_id
        if session_id is None or not self._beating.is_set():
            return True
        try:
            reply = await self._beat(session_id)
        except ServiceRefused as error:
            if error.status in _GONE and session_id == self._session_id:
                self._note(False, 0, error.message)
            return True
        except StockVerifyError as error:
            self._warn_when_low(error.message)
            return False
        if session_id == self._session_id:
            self._note(reply.rack_lock_renewed, reply.lock_ttl_remaining, reply.message)
        return True

    def _note(self, renewed: bool, remaining: float, message: str) -> None:
        self._ends_at = self._clock.monotonic() + remaining
        if renewed is self._lost:
            self._lost = not renewed
            self._listener(LockNews.LOST if self._lost else LockNews.REGAINED, message)
        self._warn_when_low(message)

    def _warn_when_low(self, message: str) -> None:
        """The claim may end before the next heartbeat arrives."""
        remaining = self._ends_at - self._clock.monotonic()
        low = not self._lost and remaining < self._seconds
        if low and not self._low:
            self._listener(LockNews.LOW, f"The claim ends in {max(remaining, 0.0):.0f} s. {message}")
        self._low = low
