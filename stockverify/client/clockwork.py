"""Time and chance as the client sees them, so that a test or a simulator can put its own in their place."""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime


def _new_id() -> str:
    return uuid.uuid4().hex


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clockwork:
    """`now` only stamps records, and orders nothing; `monotonic` measures, `sleep` waits, `rng` spreads devices,
    `new_id` names what is new, never the same twice."""

    now: Callable[[], datetime] = _utc_now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    rng: random.Random = field(default_factory=random.Random)
    new_id: Callable[[], str] = _new_id


def hastened(factor: float, rng: random.Random, now: Callable[[], datetime] = _utc_now) -> Clockwork:
    """A clockwork in which every wait is that many times shorter, for simulators and tests with real services."""
    return Clockwork(
        now=now,
        monotonic=lambda: time.monotonic() * factor,
        sleep=lambda seconds: asyncio.sleep(seconds / factor),
        rng=rng,
    )
