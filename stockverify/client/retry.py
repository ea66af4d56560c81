"""Trying again by hand: for calls that a person or a simulator waits for, such as claiming a rack."""

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from stockverify.client.backoff import as_asked, delay
from stockverify.client.clockwork import Clockwork
from stockverify.client.problems import Offline, ServerBusy, ServerFailed
from stockverify.errors import StockVerifyError

T = TypeVar("T")


def pause_after(error: StockVerifyError, failures: int, rng: random.Random) -> float:
    """Seconds to wait after the latest of so many failures: as asked, or longer each time."""
    asked = error.retry_after if isinstance(error, ServerBusy) else None
    return delay(failures, rng) if asked is None else as_asked(asked, rng)


async def until_answered(
    work: Callable[[], Awaitable[T]],
    clockwork: Clockwork,
    tries: int = 8,
    failures: tuple[type[StockVerifyError], ...] = (Offline, ServerBusy, ServerFailed),
) -> T:
    """Do the work, again and again while the network or the service fails; the last failure is raised.

    Only for work that may be done twice, as every call of a device may.
    """
    for failed in range(1, tries):
        try:
            return await work()
        except failures as error:
            await clockwork.sleep(pause_after(error, failed, clockwork.rng))
    return await work()
