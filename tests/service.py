"""A real service process for tests, and short ways to talk to it."""

import itertools
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from stockverify.environment import to_env
from stockverify.services.child import Child, Spec, free_port, wait_ready
from stockverify.services.running import answers
from stockverify.settings import Settings
from tests.document import as_documented

ADMIN_PASSWORD = "admin-password-of-the-tests"
PASSWORD = "password-of-the-tests"
WAITS_SECONDS = 120
"""On a busy machine reports come late; a service that hangs never answers."""
AS_IT_IS, PATIENT = "ingest", "tests.patient"
"""Modules that are the service. The patient one is for tests that ask what it does, not what it does in time."""


class Service:
    """A running service: one or more `python -m ingest` on one port."""

    def __init__(self, settings: Settings, children: list[Child], module: str = AS_IT_IS) -> None:
        self.settings, self.children, self.module = settings, children, module
        self.url = settings.service_url()
        self._admin: httpx.Client | None = None
        self._admin_until = 0.0
        self._clients: list[httpx.Client] = []
        self._names = itertools.count(1)

    @property
    def admin(self) -> httpx.Client:
        """A client logged in as the first user, anew before its token expires: a service may serve a whole test run."""
        if self._admin is None or time.monotonic() > self._admin_until:
            self._admin = self.log_in("admin", ADMIN_PASSWORD)
            self._admin_until = time.monotonic() + self.settings.access_token_ttl / 2
        return self._admin

    def person(self, role: str = "staff", device: str = "") -> httpx.Client:
        """A client of a new user."""
        name = f"{role}{next(self._names)}"
        body = {"username": name, "password": PASSWORD, "full_name": name.title(), "role": role}
        self.admin.post("/api/auth/register", json=body).raise_for_status()
        return self.log_in(name, PASSWORD, device)

    def log_in(self, username: str, password: str, device: str = "") -> httpx.Client:
        """A client that carries a token and, when given, a device id."""
        headers = {"X-Device-ID": device} if device else {}
        hooks = {"response": [as_documented]}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=WAITS_SECONDS, event_hooks=hooks)
        self._clients.append(client)
        reply = client.post("/api/auth/login", json={"username": username, "password": password})
        reply.raise_for_status()
        client.headers["Authorization"] = f"Bearer {reply.json()['data']['access_token']}"
        return client

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients:
            client.close()

    def rack(self, prefix: str = "R") -> str:
        """The id of a rack that nobody has used."""
        return f"{prefix}-{next(self._names)}"


@contextmanager
def running_service(settings: Settings, processes: int = 1, module: str = AS_IT_IS) -> Iterator[Service]:
    """The service on a free port, in one or more processes that share it, until the end of the block."""
    settings = msgspec.structs.replace(
        settings, api_port=free_port(), admin_password=ADMIN_PASSWORD, service_processes=processes
    )
    service = Service(settings, [], module)
    try:
        for number in range(1, processes + 1):
            start_process(service, number)
        yield service
    finally:
        service.close()
        for child in service.children:
            child.stop()


def start_process(service: Service, number: int) -> Child:
    """One more process of the service, once it answers."""
    log = Path(service.settings.data_dir) / "logs" / f"service-{number}.log"
    child = Child(Spec("service", (sys.executable, "-m", service.module), log, to_env(service.settings)))
    service.children.append(child)
    # Another process may answer on the same port: this one's own word counts.
    wait_ready(child, lambda: "startup complete" in log.read_text() and answers(f"{service.url}/api/health"))
    return child


def record(grant: dict[str, Any], name: str, item: str = "ITEM-1", **changes: Any) -> dict[str, Any]:
    """A sync record that belongs to a grant."""
    return {
        "client_record_id": name,
        "session_id": grant["session_id"],
        "rack_id": grant["rack_id"],
        "floor": grant["floor"],
        "item_code": item,
        "verified_qty": 10,
        "damage_qty": 0,
        "created_at": "2026-01-05T08:00:00Z",
        "updated_at": "2026-01-05T08:00:00Z",
        "status": "finalized",
    } | changes


def claim(client: httpx.Client, rack_id: str, floor: str = "Ground", **more: Any) -> dict[str, Any]:
    """Claim a rack and return the grant."""
    reply = client.post(f"/api/racks/{rack_id}/claim", json={"floor": floor, **more})
    assert reply.status_code == 200, reply.text
    grant: dict[str, Any] = reply.json()
    return grant


def sync(client: httpx.Client, *records: dict[str, Any], batch_id: str = "b-1") -> dict[str, Any]:
    """Post a batch and return the reply."""
    reply = client.post("/api/sync/batch", json={"records": list(records), "batch_id": batch_id})
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer
