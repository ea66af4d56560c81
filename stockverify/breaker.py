"""A circuit breaker: leaves a failing backend alone for a while, then lets one probe try it again."""

import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeVar

from stockverify.errors import Unavailable

T = TypeVar("T")


class BreakerState(StrEnum):
    """Closed lets calls through, open refuses them, half-open lets one probe through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Counts failures in a row of one backend, on a monotonic clock."""

    def __init__(
        self,
        name: str,
        failures: int,
        timeout: float,
        is_failure: Callable[[Exception], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._allowed, self._timeout, self._is_failure, self._clock = failures, timeout, is_failure, clock
        self._failed = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """How it stands at this moment."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        waited = self._clock() - self._opened_at >= self._timeout
        return BreakerState.HALF_OPEN if waited else BreakerState.OPEN

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work, or raise Unavailable when it fails for a reason of the backend or must not be tried now."""
        probe = self._admit()
        try:
            result = await work()
        except Exception as error:
            if not self._is_failure(error):
                raise
            self._fail(probe)
            raise Unavailable(service=self.name, retry_after=self._retry_after()) from error
        finally:
            if probe:
                self._probing = False
        self._failed, self._opened_at = 0, None
        return result

    def _admit(self) -> bool:
        state = self.state
        if state is BreakerState.OPEN or (state is BreakerState.HALF_OPEN and self._probing):
            raise Unavailable(service=self.name, retry_after=self._retry_after())
        if state is BreakerState.HALF_OPEN:
            self._probing = True
            return True
        return False

    def _fail(self, probe: bool) -> None:
        """Calls that began before it opened may still fail; they do not lengthen its rest."""
        self._failed += 1
        if probe or (self._opened_at is None and self._failed >= self._allowed):
            self._opened_at = self._clock()

    def _retry_after(self) -> int:
        if self._opened_at is None:
            return 2
        return max(1, round(self._opened_at + self._timeout - self._clock()))
