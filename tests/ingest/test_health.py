"""What /api/health tells through a real outage."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx

from stockverify import __version__
from stockverify.services.embedded import backends
from stockverify.settings import Settings
from tests.ingest.live import metric, until
from tests.service import Service, running_service


def told(service: Service) -> tuple[int, dict[str, Any]]:
    reply = httpx.get(f"{service.url}/api/health", timeout=10)
    return reply.status_code, reply.json()


def health(status: str, mongodb: tuple[str, str], redis: tuple[str, str]) -> dict[str, Any]:
    return {
        "status": status,
        "services": {"mongodb": mongodb[0], "redis": redis[0]},
        "breakers": {"mongodb": mongodb[1], "redis": redis[1]},
        "version": __version__,
    }


UP, DOWN = ("up", "closed"), ("down", "open")


def test_breakers_open_try_again_and_close_through_outages_of_both_backends(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, breaker_timeout=1, breaker_failures=1)
    with backends(settings) as started, running_service(started.settings) as service:
        mongod, redis = (child.pid for child in started.children)
        assert told(service) == (200, health("healthy", UP, UP))

        os.kill(redis, signal.SIGSTOP)
        try:
            assert service.admin.post("/api/racks/R1/claim", json={}).status_code == 503
            assert told(service) == (200, health("degraded", UP, DOWN))
            assert metric(service, "stockverify_breaker_state", backend="redis") == 2
            time.sleep(1.1)
            assert metric(service, "stockverify_breaker_state", backend="redis") == 1, "half-open: one may try again"
        finally:
            os.kill(redis, signal.SIGCONT)
        until(lambda: told(service) == (200, health("healthy", UP, UP)))
        assert metric(service, "stockverify_breaker_state", backend="redis") == 0

        os.kill(mongod, signal.SIGSTOP)
        try:
            assert service.admin.get("/api/auth/me").status_code == 503
            reply = httpx.get(f"{service.url}/api/health", timeout=10)
            assert (reply.status_code, reply.json()["status"]) == (503, "unhealthy")
            assert int(reply.headers["Retry-After"]) >= 1
            assert reply.json()["services"] == {"mongodb": "down", "redis": "up"}
            assert reply.json()["breakers"]["mongodb"] in ("open", "half_open")
        finally:
            os.kill(mongod, signal.SIGCONT)
        until(lambda: service.admin.get("/api/auth/me").status_code == 200)
        until(lambda: told(service) == (200, health("healthy", UP, UP)))
