"""Long fault hunts under load, up to a minute each; `make test-faults` runs them. Seeds are printed."""

import http.client
import itertools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from stockverify.settings import Settings
from tests.faults.load import load
from tests.faults.proxy import Mishaps, Proxy, proxy
from tests.faults.stack import Stack, stack

pytestmark = pytest.mark.faults

_SEEDS = itertools.count(random.randrange(10**6))
SECONDS = 30.0
TWO_DAYS = 2 * 24 * 3600.0


@pytest.fixture
def seed() -> int:
    """Printed by the load, so that a failure can be looked into."""
    return next(_SEEDS)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Stack]:
    """Two service processes on the same databases. Claims end soon: a rack that is released while Redis is away stays
    reserved until then."""
    with stack(tmp_path, services=2, rack_lock_ttl=4) as started:
        yield started


@pytest.mark.parametrize("names", [("service-1",), ("mongod",), ("redis-server",), None], ids=str)
def test_kill_9_at_random_moments(running: Stack, seed: int, names: tuple[str, ...] | None) -> None:
    rng, end = random.Random(seed), time.monotonic() + SECONDS
    choices = names or ("service-1", "service-2", "mongod", "redis-server")
    with load(running, seed) as crew:
        while time.monotonic() < end:
            crew.wait_for_answers(rng.randint(1, 60))
            time.sleep(rng.uniform(0.0, 0.1))
            running.kill(rng.choice(choices))
    running.wait_healthy()


def test_redis_loses_its_memory_again_and_again(running: Stack, seed: int) -> None:
    rng, end = random.Random(seed), time.monotonic() + SECONDS
    with load(running, seed) as crew, running.redis() as redis:
        while time.monotonic() < end:
            crew.wait_for_answers(rng.randint(1, 30))
            redis.flushall()


@pytest.mark.parametrize("name", ["service-1", "mongod", "redis-server"])
def test_a_process_that_hangs_and_goes_on(running: Stack, seed: int, name: str) -> None:
    rng, end = random.Random(seed), time.monotonic() + SECONDS
    with load(running, seed) as crew:
        while time.monotonic() < end:
            crew.wait_for_answers(20)
            with running.frozen(name):
                time.sleep(rng.uniform(0.5, 5))


def test_one_service_goes_on_while_the_other_hangs(running: Stack, seed: int) -> None:
    with load(running, seed, addresses=[running.services[1].url]) as crew, running.frozen("service-1"):
        began = time.monotonic()
        crew.wait_for_answers(100)
        assert time.monotonic() - began < 20


def test_clocks_of_devices_two_days_off_change_no_outcome(running: Stack, seed: int) -> None:
    with load(running, seed, clock_of=lambda place: (place % 3 - 1) * TWO_DAYS, least=600):
        time.sleep(SECONDS / 2)


MISHAPS = {
    "slow": Mishaps(latency=0.05, bytes_per_second=20_000),
    "lost replies": Mishaps(lose_reply=0.4),
    "cut requests": Mishaps(cut_request=0.4),
    "resets": Mishaps(reset=0.2),
    "all at once": Mishaps(latency=0.01, lose_reply=0.15, cut_request=0.15, reset=0.1, bytes_per_second=200_000),
}


@pytest.mark.parametrize("name", MISHAPS)
def test_a_bad_network_between_devices_and_service(running: Stack, seed: int, name: str) -> None:
    with ExitStack() as exits:
        ports = [service.settings.api_port for service in running.services]
        between = [exits.enter_context(proxy(port, seed, MISHAPS[name])) for port in ports]
        with load(running, seed, addresses=[f"http://127.0.0.1:{each.port}" for each in between], least=60):
            time.sleep(SECONDS / 2)
        print([dict(each.seen) for each in between])


def _through(address: str, port: int) -> str:
    """An address of MongoDB or Redis with another port; MongoDB must then not look for the port it knows itself by."""
    before, after = address.rsplit("@127.0.0.1:", 1)
    rest = after.lstrip("0123456789").replace("replicaSet=stockverify", "directConnection=true")
    return f"{before}@127.0.0.1:{port}{rest}"


def _port(address: str) -> int:
    return int(address.rsplit("@127.0.0.1:", 1)[1].split("/", maxsplit=1)[0])


@pytest.mark.parametrize("backend", ["mongodb_uri", "redis_url"])
def test_a_bad_network_between_service_and_backends(tmp_path: Path, seed: int, backend: str) -> None:
    proxies: list[Proxy] = []

    def behind(exits: ExitStack) -> Callable[[Settings], Settings]:
        def change(settings: Settings) -> Settings:
            address = getattr(settings, backend)
            if not proxies:
                proxies.append(exits.enter_context(proxy(_port(address), seed)))
            return msgspec.structs.replace(settings, **{backend: _through(address, proxies[0].port)})

        return change

    with ExitStack() as exits, stack(tmp_path, services=2, behind=behind(exits), rack_lock_ttl=4) as running:
        with load(running, seed, least=100):
            proxies[0].mishaps = Mishaps(lose_reply=0.01, cut_request=0.01, reset=0.005)
            time.sleep(SECONDS / 2)
            proxies[0].mishaps = Mishaps(latency=0.02)
            time.sleep(SECONDS / 4)
            proxies[0].mishaps = Mishaps()
        print(dict(proxies[0].seen))
        assert proxies[0].seen["reset"] > 0


def test_a_connection_that_rests_as_long_as_clients_let_it_still_answers(running: Stack) -> None:
    """With 5 seconds, uvicorn's own default, the service hung up while a device's next request was on its way."""
    line = http.client.HTTPConnection("127.0.0.1", running.service.settings.api_port)
    for rest in (0, 6, 16):
        time.sleep(rest)
        line.request("GET", "/api/health")
        assert line.getresponse().read()
    line.close()
