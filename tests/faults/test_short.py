"""Short fault hunts, a few seconds each; the long ones are in test_long.py."""

import itertools
import random
import time
from collections.abc import Iterator

import pytest

from tests.faults.load import load
from tests.faults.proxy import Mishaps, proxy
from tests.faults.stack import Stack, stack

_SEEDS = itertools.count(random.randrange(10**6))
TWO_DAYS = 2 * 24 * 3600.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two service processes on the same databases."""
    with stack(tmp_path_factory.mktemp("faults"), services=2) as started:
        yield started


@pytest.fixture
def seed() -> int:
    """Printed by the load, so that a failure can be looked into."""
    return next(_SEEDS)


def test_kill_9_of_the_service_under_load_loses_and_doubles_nothing(running: Stack, seed: int) -> None:
    rng = random.Random(seed)
    with load(running, seed, addresses=[running.service.url]) as crew:
        crew.wait_for_answers(20)
        time.sleep(rng.uniform(0.0, 0.05))
        running.kill("service-1")


def test_lost_replies_and_cut_requests_lose_and_double_nothing(running: Stack, seed: int) -> None:
    mishaps = Mishaps(latency=0.001, lose_reply=0.2, cut_request=0.1, reset=0.03)
    with proxy(running.service.settings.api_port, seed, mishaps) as between:
        with load(running, seed, addresses=[f"http://127.0.0.1:{between.port}"], least=50):
            time.sleep(1)
        assert min(between.seen[what] for what in ("lose_reply", "cut_request", "reset")) > 0


def test_two_processes_and_clocks_two_days_off_agree_about_everything(running: Stack, seed: int) -> None:
    with load(running, seed, clock_of=lambda place: (place % 3 - 1) * TWO_DAYS, least=100):
        time.sleep(1)


def test_losing_all_of_redis_under_load_rewinds_no_fence(running: Stack, seed: int) -> None:
    with load(running, seed, least=80), running.redis() as redis:
        for _ in range(4):
            time.sleep(0.2)
            redis.flushall()
