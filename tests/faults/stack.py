"""MongoDB, Redis and service processes under the product's own supervisor, so that tests can kill and freeze them."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from pymongo.database import Database
from redis import Redis

from stockverify.clients import Document, database, open_mongo
from stockverify.environment import to_env
from stockverify.services.child import Spec, free_port
from stockverify.services.embedded import backends
from stockverify.services.running import answers
from stockverify.services.supervisor import Supervisor
from stockverify.settings import Settings
from tests.service import ADMIN_PASSWORD, Service

SECRET = "a secret of the fault tests, shared by processes"


class Stack:
    """What runs: `services` in the order of their names service-1, service-2."""

    def __init__(self, supervisor: Supervisor, services: list[Service], stored: "Database[Document]") -> None:
        self.supervisor, self.services, self.stored = supervisor, services, stored
        self._people: list[httpx.Client] = []

    def people(self, number: int) -> list[httpx.Client]:
        """Clients of so many counters, each with a device; they are made once."""
        while len(self._people) < number:
            self._people.append(self.service.person(device=f"device-{len(self._people)}"))
        return self._people[:number]

    @property
    def service(self) -> Service:
        """The first service process."""
        return self.services[0]

    def redis(self) -> "Redis":
        """A plain client of Redis; close it."""
        return Redis.from_url(self.service.settings.redis_address() or "", decode_responses=True)

    def kill(self, name: str) -> None:
        """kill -9, and return once the supervisor has started it again."""
        before = self.supervisor.pids()[name]
        os.kill(before, signal.SIGKILL)
        until(lambda: self.supervisor.pids()[name] != before)

    def ask_to_end(self, name: str) -> None:
        """SIGTERM, and return once the process has ended and the supervisor has started it again."""
        before = self.supervisor.pids()[name]
        os.kill(before, signal.SIGTERM)
        until(lambda: self.supervisor.pids()[name] != before)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """SIGSTOP until the end of the block."""
        pid = self.supervisor.pids()[name]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def wait_healthy(self) -> None:
        """Return once every service process answers and says that all is well."""
        for service in self.services:
            until(lambda service=service: answers(f"{service.url}/api/health"))  # type: ignore[misc]


@contextmanager
def stack(
    folder: Path, services: int = 1, behind: Callable[[Settings], Settings] = lambda settings: settings, **changes: Any
) -> Iterator[Stack]:
    """Start everything; stop it at the end. `behind` may put proxies between the services and their backends."""
    with ExitStack() as exits:
        settings = Settings(data_dir=folder, admin_password=ADMIN_PASSWORD, secret=SECRET, breaker_timeout=1)
        started = exits.enter_context(backends(msgspec.structs.replace(settings, **changes)))
        supervisor = Supervisor(lambda line: None)
        exits.callback(supervisor.stop)
        for child in started.children:
            supervisor.adopt(child)
        client = exits.enter_context(open_mongo(started.settings.mongodb_uri or ""))
        running = [_start(supervisor, behind(started.settings), place + 1) for place in range(services)]
        for service in running:
            exits.callback(service.close)
        supervisor.watch()
        yield Stack(supervisor, running, database(client, started.settings))


def _start(supervisor: Supervisor, settings: Settings, number: int) -> Service:
    settings = msgspec.structs.replace(settings, api_port=free_port())
    name = f"service-{number}"
    log = settings.data_dir / "logs" / f"{name}.log"
    spec = Spec(name, (sys.executable, "-m", "ingest"), log, to_env(settings))
    supervisor.start(spec, lambda: answers(f"{settings.service_url()}/api/health"), seconds=180)
    return Service(settings, [])


def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    """Return once the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)
