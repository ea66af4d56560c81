"""Where the state machine lives: a service with a Redis of its own, and the people who use it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from pymongo.database import Database
from redis import Redis

from stockverify.clients import Document, database, open_mongo
from stockverify.services import redis_server
from stockverify.services.child import free_port
from stockverify.services.embedded import Backends
from tests.ingest.machine_model import Who
from tests.service import PASSWORD, PATIENT, Service, running_service

PEOPLE = (Who("ann", "phone"), Who("ann", "tablet"), Who("ben", "phone"), Who("ben", "tablet"), Who("cy", "phone"))


class House:
    """The running service with its people; each run of the machine takes new racks."""

    def __init__(self, service: Service, stored: "Database[Document]", redis: "Redis") -> None:
        self.stored, self.redis = stored, redis
        self.names: dict[str, str] = {}
        self.clients = self._people(service)
        self.boss = service.person("supervisor")

    def _people(self, service: Service) -> dict[Who, httpx.Client]:
        clients = {}
        for who in PEOPLE:
            if who.person not in self.names:
                self.names[who.person] = service.person().get("/api/auth/me").json()["username"]
            clients[who] = service.log_in(self.names[who.person], PASSWORD, device=who.device)
        return clients


@contextmanager
def opened(embedded: Backends, folder: Path) -> Iterator[House]:
    """A service with a Redis of its own, so that losing all of it disturbs nobody."""
    port = free_port()
    child = redis_server.start(folder / "redis", folder / "redis.log", port)
    address = redis_server.url(folder / "redis", port)
    changes: dict[str, Any] = {"redis_url": address, "mongodb_database": f"machine_{port}", "data_dir": folder}
    changes |= {"access_token_ttl": 86_400, "rate_limit": 0}  # people are logged in once, and hunts take long
    try:
        with (
            running_service(msgspec.structs.replace(embedded.settings, **changes), module=PATIENT) as service,
            Redis.from_url(address, decode_responses=True) as redis,
            open_mongo(service.settings.mongodb_uri or "") as client,
        ):
            yield House(service, database(client, service.settings), redis)
    finally:
        child.stop()
