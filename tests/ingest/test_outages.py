"""Backends that hang instead of refusing: the worst kind of outage."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from stockverify.services.embedded import backends
from stockverify.settings import Settings
from tests.service import claim, record, running_service, sync

pytestmark = pytest.mark.faults
BUSY_MACHINE = 0.4
"""Seconds. A call that waits for the same outage twice takes 3.6."""


def is_unavailable(reply: httpx.Response, began: float, seconds: float) -> None:
    """A 503 that says when to come again, and came in time."""
    assert time.monotonic() - began < seconds, reply.request.url
    assert reply.status_code == 503, reply.text
    assert int(reply.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["gone", "frozen"])
def test_every_call_is_503_in_time_without_mongodb_also_before_the_breaker_opens(
    tmp_path: Path, how: signal.Signals
) -> None:
    settings = Settings(data_dir=tmp_path, breaker_failures=1000)
    with backends(settings) as started, running_service(started.settings) as service:
        staff, boss = service.person(), service.person("supervisor")
        grant = claim(staff, "R1")
        batch = {"records": [record(grant, "c-1")]}
        os.kill(started.children[0].pid, how)
        try:
            calls: dict[str, Any] = {
                "claim": lambda: staff.post("/api/racks/R2/claim", json={}),
                "force-release": lambda: boss.post("/api/racks/R1/force-release", json={"reason": "to see it"}),
                "batch": lambda: staff.post("/api/sync/batch", json=batch),
                "heartbeat": lambda: staff.post(f"/api/sessions/{grant['session_id']}/heartbeat"),
                "list": lambda: staff.get("/api/racks/available"),
                "health": lambda: staff.get("/api/health"),
                "login": lambda: log_in(service.url),
            }
            for call in calls.values():
                began = time.monotonic()
                is_unavailable(call(), began, 2 + BUSY_MACHINE)
            began = time.monotonic()
            with ThreadPoolExecutor(12) as pool:
                for reply in pool.map(lambda _: log_in(service.url), range(12)):
                    is_unavailable(reply, began, 2 + 2 * BUSY_MACHINE)
        finally:
            if how is signal.SIGSTOP:
                os.kill(started.children[0].pid, signal.SIGCONT)


def log_in(url: str) -> httpx.Response:
    """Try to log in, wrongly."""
    return httpx.post(f"{url}/api/auth/login", json={"username": "nobody", "password": "x"}, timeout=20)


@pytest.mark.parametrize("place", [0, 1], ids=["mongod", "redis"])
def test_a_frozen_backend_is_503_in_time_and_comes_back_by_itself(tmp_path: Path, place: int) -> None:
    settings = Settings(data_dir=tmp_path, breaker_timeout=1)
    with backends(settings) as started, running_service(started.settings) as service:
        staff = service.person()
        grant = claim(staff, "R1")
        session = grant["session_id"]
        os.kill(started.children[place].pid, signal.SIGSTOP)
        try:
            for _ in range(3):
                began = time.monotonic()
                refused = staff.post("/api/racks/R2/claim", json={})
                is_unavailable(refused, began, (2, 1)[place])
            if place == 1:
                for beat in (f"/api/sessions/{session}/heartbeat", f"/api/sync/heartbeat?session_id={session}"):
                    began = time.monotonic()
                    is_unavailable(staff.post(beat), began, 1)
                assert sync(staff, record(grant, "c-1"))["ok"] == ["c-1"], "sync goes on without Redis"
        finally:
            os.kill(started.children[place].pid, signal.SIGCONT)
        deadline = time.monotonic() + 20
        while staff.post("/api/racks/R2/claim", json={}).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert sync(staff, record(grant, "c-1"))["ok"] == ["c-1"]
