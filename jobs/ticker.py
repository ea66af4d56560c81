"""The clock of the worker. APScheduler ticks here and decides nothing; the only file that imports it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

Tick = Callable[[datetime], None]


@contextmanager
def ticking(ticks: dict[Tick, float], patience: float) -> Iterator[Callable[[], bool]]:
    """Call each function every so many seconds, never twice at once, until the block ends.

    Yields a function that stops the clock, waits `patience` seconds for calls in progress, and says whether they ended.
    """
    scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(len(ticks))})
    for tick, seconds in ticks.items():
        scheduler.add_job(_at_now(tick), "interval", seconds=seconds, next_run_time=datetime.now(UTC), **_NEVER_TWICE)
    scheduler.start()
    yield lambda: _stopped(scheduler, patience)


_NEVER_TWICE = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}


def _at_now(tick: Tick) -> Callable[[], None]:
    return lambda: tick(datetime.now(UTC))


def _stopped(scheduler: BackgroundScheduler, patience: float) -> bool:
    waiting = Thread(target=scheduler.shutdown, daemon=True)
    waiting.start()
    waiting.join(patience)
    return not waiting.is_alive()
