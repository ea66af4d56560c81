"""Backends that hang instead of refusing: the worst kind of outage."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from stockverify.services.embedded import backends
from stockverify.settings import Settings
from tests.service import Service, claim, record, running_service, sync

pytestmark = pytest.mark.faults


def unavailable_in_time(
    service: Service, call: Callable[[], Sequence[httpx.Response]], seconds: float, attempts: int = 4
) -> None:
    """503s that say when to come again. What waits for too long does so each time; a busy machine, now and then, and
    it is as slow when nobody waits for anything."""
    began = time.monotonic()
    for reply in call():
        assert reply.status_code == 503, reply.text
        assert int(reply.headers["Retry-After"]) >= 1
    replied = time.monotonic()
    httpx.get(f"{service.url}/nowhere", timeout=20)
    answers_in = time.monotonic() - replied
    if attempts > 1 and replied - began >= seconds:
        unavailable_in_time(service, call, seconds, attempts - 1)
    else:
        assert replied - began < seconds + 4 * answers_in, reply.request.url


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
            calls: list[Callable[[], Sequence[httpx.Response]]] = [
                lambda: [staff.post("/api/racks/R2/claim", json={})],
                lambda: [boss.post("/api/racks/R1/force-release", json={"reason": "to see it"})],
                lambda: [staff.post("/api/sync/batch", json=batch)],
                lambda: [staff.post(f"/api/sessions/{grant['session_id']}/heartbeat")],
                lambda: [staff.get("/api/racks/available")],
                lambda: [staff.get("/api/health")],
                lambda: [log_in(service.url)],
            ]
            for call in calls:
                unavailable_in_time(service, call, 2)
            with ThreadPoolExecutor(12) as pool:
                unavailable_in_time(service, lambda: list(pool.map(log_in, [service.url] * 12)), 2.8)
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
                unavailable_in_time(service, lambda: [staff.post("/api/racks/R2/claim", json={})], (2, 1)[place])
            if place == 1:
                unavailable_in_time(service, lambda: [staff.post(f"/api/sessions/{session}/heartbeat")], 1)
                unavailable_in_time(service, lambda: [staff.post(f"/api/sync/heartbeat?session_id={session}")], 1)
                assert sync(staff, record(grant, "c-1"))["ok"] == ["c-1"], "sync goes on without Redis"
        finally:
            os.kill(started.children[place].pid, signal.SIGCONT)
        deadline = time.monotonic() + 20
        while staff.post("/api/racks/R2/claim", json={}).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert sync(staff, record(grant, "c-1"))["ok"] == ["c-1"]
