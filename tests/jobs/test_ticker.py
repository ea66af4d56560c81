"""The clock of the worker, and a wall clock that is set."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from apscheduler.schedulers import base

from jobs import ticker
from jobs.ticker import SET_BACK_SECONDS, ticking, was_set_back


class Wall:
    """A clock on the wall, also for APScheduler, that can be set."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.moved = timedelta()
        wall = self

        class Shown(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> "Shown":
                shown = datetime.now(tz) + wall.moved
                return cls.fromisoformat(shown.isoformat())

        patch.setattr(base, "datetime", Shown)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    monkeypatch.setattr(ticker, "_LOOK_SECONDS", 0.02)
    return Wall(monkeypatch)


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("passed", "steadily", "expected"),
    [(10.0, 10.0, False), (6.0, 10.0, False), (4.9, 10.0, True), (-3600.0, 1.0, True), (7200.0, 1.0, False)],
)
def test_a_clock_was_set_back_when_less_time_passed_than_in_truth(
    passed: float, steadily: float, expected: bool
) -> None:
    assert (SET_BACK_SECONDS, was_set_back(passed, steadily)) == (5.0, expected)


@pytest.mark.parametrize("moved", [timedelta(hours=-1), timedelta(days=-400), timedelta(hours=1)], ids=str)
def test_it_ticks_on_after_the_clock_was_set(wall: Wall, moved: timedelta) -> None:
    """Else a worker would neither renew leases nor send mails for as long as it was set back."""
    seen: list[datetime] = []
    with ticking({seen.append: 0.05}, 5, wall.now) as ended:
        until(lambda: len(seen) > 2)
        wall.moved = moved
        before = len(seen) + 1  # one may have begun
        until(lambda: len(seen) > before + 2)
        assert ended()
    assert abs(seen[-1] - wall.now()) < timedelta(seconds=20)


def test_no_tick_is_called_twice_at_once_and_none_is_left_behind(wall: Wall) -> None:
    going, most, others = [], [0], []
    may_end = threading.Event()

    def slow(now: datetime) -> None:
        going.append(now)
        most[0] = max(most[0], len(going))
        may_end.wait(10)
        going.pop()

    with ticking({slow: 0.01, others.append: 0.01}, 0.1, wall.now) as ended:
        until(lambda: len(others) > 5)
        wall.moved = timedelta(hours=-1)
        until(lambda: len(others) > 20)
        assert not ended(), "one call is still in progress"
        may_end.set()
    assert most == [1]
