"""The log of a service process: JSON on every line, one line for each failure and each slow request, no more."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from stockverify.services.embedded import backends
from stockverify.settings import Settings
from tests.ingest.live import listening
from tests.service import running_service


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in folder.glob("logs/service*.log") for line in path.read_text().splitlines()]


def failures(folder: Path) -> list[dict[str, Any]]:
    """What is logged of failed requests; it comes a moment after the reply."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := [line for line in lines(folder) if line["event"] == "request_failed"]:
            return found
        time.sleep(0.02)
    return []


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_every_line_is_json_from_start_to_end(settings: Settings, level: str) -> None:
    chosen = msgspec.structs.replace(settings, log_level=level)
    with running_service(chosen) as service, listening(service, service.admin):
        httpx.get(f"{service.url}/api/auth/me?secret=swordfish")
        httpx.get(f"{service.url}/nowhere", headers={"X-Request-ID": "mine"})
    logged = lines(settings.data_dir)
    assert {"event", "level", "timestamp"} <= set.intersection(*map(set, logged))
    requests = [line for line in logged if line["event"] == "request"]
    assert "swordfish" not in json.dumps(logged)
    assert [line["status"] for line in requests if line["request_id"] == "mine"] == ([404] if level == "DEBUG" else [])


def test_failures_are_logged_with_who_and_what(tmp_path: Path) -> None:
    with backends(Settings(data_dir=tmp_path)) as started, running_service(started.settings) as service:
        anna = service.person(device="phone")
        user_id = anna.get("/api/auth/me").json()["id"]
        os.kill(started.children[1].pid, signal.SIGSTOP)
        try:
            reply = anna.post("/api/racks/R1/claim", json={})
        finally:
            os.kill(started.children[1].pid, signal.SIGCONT)
        assert reply.status_code == 503
        (line,) = failures(tmp_path)
        told = {name: line[name] for name in ("operation", "method", "status", "user_id", "device_id", "request_id")}
        assert told == {
            "operation": "racks.claim",
            "method": "POST",
            "status": 503,
            "user_id": user_id,
            "device_id": "phone",
            "request_id": reply.headers["X-Request-ID"],
        }
        assert line["ms"] > 100
