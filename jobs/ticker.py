"""The clock of the worker. APScheduler ticks here and decides nothing; the only file that imports it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

Tick = Callable[[datetime], None]
SET_BACK_SECONDS = 5.0
"""A clock that falls so far behind the time that has passed was set back; one that is corrected bit by bit was not."""
_LOOK_SECONDS = 1.0
_log = structlog.get_logger("jobs")


@contextmanager
def ticking(
    ticks: dict[Tick, float], patience: float, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Iterator[Callable[[], bool]]:
    """Call each function every so many seconds, never twice at once, until the block ends.

    Yields a function that stops the clock, waits `patience` seconds for calls in progress, and says whether they ended.
    """
    scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(len(ticks))})
    for tick, seconds in ticks.items():
        scheduler.add_job(_at(clock, tick), "interval", seconds=seconds, next_run_time=clock(), **_NEVER_TWICE)
    scheduler.start()
    ended = Event()
    Thread(target=_watch, args=(scheduler, clock, ended), daemon=True).start()
    try:
        yield lambda: _stopped(scheduler, patience)
    finally:
        ended.set()


def was_set_back(passed: float, steadily: float) -> bool:
    """Whether a clock by which so many seconds passed was set back, when in truth as many passed as `steadily`."""
    return passed < steadily - SET_BACK_SECONDS


_NEVER_TWICE = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}


def _at(clock: Callable[[], datetime], tick: Tick) -> Callable[[], None]:
    return lambda: tick(clock())


def _watch(scheduler: BackgroundScheduler, clock: Callable[[], datetime], ended: Event) -> None:
    """APScheduler waits for a time of day. If the clock is set back by an hour, it would do nothing for an hour."""
    begun, steady = clock(), time.monotonic()
    while not ended.wait(_LOOK_SECONDS):
        now, passed = clock(), time.monotonic() - steady
        if was_set_back((now - begun).total_seconds(), passed):
            _log.warning("clock_set_back", seconds=round(passed - (now - begun).total_seconds()))
            begun, steady = now, time.monotonic()
            for job in scheduler.get_jobs():
                job.modify(next_run_time=now)


def _stopped(scheduler: BackgroundScheduler, patience: float) -> bool:
    waiting = Thread(target=scheduler.shutdown, daemon=True)
    waiting.start()
    waiting.join(patience)
    return not waiting.is_alive()
