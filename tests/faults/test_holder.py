"""A device that freezes, and a service that is asked to end: what happens at the edges of a life."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.checks import problems
from tests.faults.ledger import Ledger
from tests.faults.stack import stack, until
from tests.service import PASSWORD, claim, record

pytestmark = pytest.mark.faults
LINES = 40


def test_a_holder_frozen_past_its_time_loses_the_rack_and_no_count(tmp_path: Path) -> None:
    with stack(tmp_path / "stack", rack_lock_ttl=2) as running:
        holder, other = running.people(2)
        name = holder.get("/api/auth/me").json()["username"]
        argv = [running.service.url, name, PASSWORD, str(tmp_path / "device.db"), "R1", str(LINES)]
        device = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.offline_device", *argv], stdout=subprocess.PIPE, text=True
        )
        try:
            assert device.stdout
            assert device.stdout.readline() == "counted 0\n"
            until(lambda: running.stored.verification_records.count_documents({}) > 3)
            os.kill(device.pid, signal.SIGSTOP)
            until(lambda: other.post("/api/racks/R1/claim", json={}).status_code == 200, seconds=10)
            before = running.stored.verification_records.count_documents({})
            os.kill(device.pid, signal.SIGCONT)
            said, _ = device.communicate(timeout=60)
        finally:
            device.kill()
            device.wait()
        end = json.loads(said.splitlines()[-1])
        assert (end["acked"] + end["conflicts"], end["parked"]) == (LINES, 0)
        assert end["lost"] is True, "the device was told that the rack is no longer its own"
        assert running.stored.verification_records.count_documents({}) == before
        kinds = [row["conflict_type"] for row in running.stored.sync_conflicts.find()]
        assert kinds == ["rack_locked"] * (LINES - before)
        assert problems(Ledger("none"), running.stored) == []


class Sender(threading.Thread):
    """Sends one batch after the other and never twice; keeps what was answered and what was not."""

    def __init__(self, client: httpx.Client, grant: dict[str, Any], place: int, stop: threading.Event) -> None:
        super().__init__()
        self.answered: list[str] = []
        self.unanswered: list[str] = []
        self.strange: list[str] = []
        self._client, self._grant, self._place, self._stop_it = client, grant, place, stop

    def run(self) -> None:
        """Until told to stop."""
        number = 0
        while not self._stop_it.is_set():
            number += 1
            name = f"t-{self._place}-{number}"
            batch = {"records": [record(self._grant, f"{name}-{n}", f"I-{name}-{n}") for n in range(30)]}
            try:
                reply = self._client.post("/api/sync/batch", json=batch)
            except httpx.TransportError:
                self.unanswered.append(name)
                self._stop_it.wait(0.05)
                continue
            if reply.status_code == 200 and len(reply.json()["ok"]) == 30:
                self.answered.append(name)
            elif reply.status_code != 503:
                self.strange.append(f"{reply.status_code} {reply.text[:200]}")


@pytest.mark.parametrize("round_number", range(3))
def test_a_service_asked_to_end_answers_all_that_it_has_accepted(tmp_path: Path, round_number: int) -> None:
    with stack(tmp_path) as running:
        stop = threading.Event()
        people = running.people(8)
        senders = [Sender(each, claim(each, f"T-{place}"), place, stop) for place, each in enumerate(people)]
        for sender in senders:
            sender.start()
        until(lambda: sum(len(sender.answered) for sender in senders) > 40)
        running.ask_to_end("service-1")
        again = sum(len(sender.answered) for sender in senders) + 20
        until(lambda: sum(len(sender.answered) for sender in senders) > again)
        stop.set()
        for sender in senders:
            sender.join()
        assert [text for sender in senders for text in sender.strange] == []
        stored = {row["_id"] for row in running.stored.verification_records.find({}, {"_id": 1})}
        for sender in senders:
            assert {f"{name}-{n}" for name in sender.answered for n in range(30)} <= stored
            assert [name for name in sender.unanswered if f"{name}-0" in stored] == [], "stored, and never answered"
        assert problems(Ledger("none"), running.stored) == []
