"""Backends that hang instead of refusing: the worst kind of outage."""

import os
import signal
import time
from pathlib import Path

import pytest

from stockverify.services.embedded import backends
from stockverify.settings import Settings
from tests.service import claim, record, running_service, sync

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("place", [0, 1], ids=["mongod", "redis"])
def test_a_frozen_backend_is_503_in_time_and_comes_back_by_itself(tmp_path: Path, place: int) -> None:
    settings = Settings(data_dir=tmp_path, breaker_timeout=1)
    with backends(settings) as started, running_service(started.settings) as service:
        staff = service.person()
        grant = claim(staff, "R1")
        os.kill(started.children[place].pid, signal.SIGSTOP)
        try:
            for _ in range(3):
                began = time.monotonic()
                refused = staff.post("/api/racks/R2/claim", json={})
                assert time.monotonic() - began < (2, 1)[place]
                assert refused.status_code == 503
                assert int(refused.headers["Retry-After"]) >= 1
            if place == 1:
                assert sync(staff, record(grant, "c-1"))["ok"] == ["c-1"], "sync goes on without Redis"
        finally:
            os.kill(started.children[place].pid, signal.SIGCONT)
        deadline = time.monotonic() + 20
        while staff.post("/api/racks/R2/claim", json={}).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert sync(staff, record(grant, "c-1"))["ok"] == ["c-1"]
