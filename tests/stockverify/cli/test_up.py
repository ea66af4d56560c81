"""`stockverify up` as a person or a script runs it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from redis import Redis

from stockverify.services.child import free_port

COMMAND = [sys.executable, "-m", "stockverify"]


class Up:
    """A running `stockverify up --json`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ports = ["--api-port", str(free_port()), "--dashboard-port", str(free_port())]
        argv = [*COMMAND, "up", "--json", "--data-dir", str(folder), *ports]
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("STOCKVERIFY", "MONGODB"))}
        self.said = folder.with_suffix(".said")
        with self.said.open("w") as errors:
            self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=errors, text=True, env=environ)
        assert self.process.stdout
        self.line: dict[str, Any] = json.loads(self.process.stdout.readline() or "{}")
        assert self.line, self.said.read_text()

    def pids(self) -> dict[str, int]:
        runtime = json.loads((self.folder / "runtime.json").read_text())
        pids: dict[str, int] = runtime["pids"]
        return pids

    def end(self) -> int:
        assert self.process.stdout
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One run for the tests that leave it running."""
    started = Up(tmp_path_factory.mktemp("up") / "data")
    yield started
    pids = started.pids()
    assert started.end() == 0
    assert [name for name, pid in pids.items() if alive(pid)] == []
    assert not (started.folder / "runtime.json").exists()


def test_one_line_says_where_everything_is_and_all_answer(up: Up) -> None:
    assert up.line["ready"] is True
    assert set(up.line) == {"ready", "api", "dashboard", "mongodb", "redis"}
    assert httpx.get(f"{up.line['api']}/api/health").json()["status"] == "healthy"
    assert httpx.get(f"{up.line['dashboard']}/_stcore/health").status_code == 200
    with MongoClient(up.line["mongodb"]) as mongo, Redis.from_url(up.line["redis"]) as redis:
        assert mongo.admin.command("ping")["ok"] == 1
        assert redis.ping()


def test_the_first_password_is_told_to_the_person_and_works(up: Up) -> None:
    said = up.said.read_text()
    password = said.split("with the password")[1].split()[0]
    assert password not in json.dumps(up.line)
    reply = httpx.post(f"{up.line['api']}/api/auth/login", json={"username": "admin", "password": password})
    assert reply.status_code == 200
    logs = "".join(path.read_text(errors="replace") for path in (up.folder / "logs").glob("*.log"))
    assert password not in logs
    assert (up.folder / "redis/password").read_text() not in logs


def test_processes_see_only_the_secrets_that_they_need(up: Up) -> None:
    for name in ("dashboard", "worker"):
        environ = Path(f"/proc/{up.pids()[name]}/environ").read_text().split("\0")
        values = dict(entry.split("=", 1) for entry in environ if "=" in entry)
        assert values["STOCKVERIFY_ADMIN_PASSWORD"] == ""
        assert bool(values.get("MONGODB_URI")) == (name == "worker")


def test_a_second_run_on_the_same_data_is_refused(up: Up) -> None:
    ports = ["--api-port", str(free_port()), "--dashboard-port", str(free_port())]
    second = subprocess.run(
        [*COMMAND, "up", "--data-dir", str(up.folder), *ports], capture_output=True, text=True, check=False
    )
    assert second.returncode == 2
    assert second.stderr.strip().splitlines() == [
        f"stockverify: StockVerify already runs on {up.folder}. "
        "Stop that run first, or choose another folder with --data-dir."
    ]


@pytest.mark.parametrize("option", ["--api-port", "--dashboard-port"])
def test_a_port_in_use_is_told_in_one_line(tmp_path: Path, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = {"--api-port": "--dashboard-port", "--dashboard-port": "--api-port"}[option]
        argv = [*COMMAND, "up", "--data-dir", str(tmp_path / "d"), option, str(port), other, str(free_port())]
        refused = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert len(refused.stderr.strip().splitlines()) == 1
    assert str(port) in refused.stderr
    assert option in refused.stderr


def test_a_service_that_dies_is_started_again_and_that_is_said(up: Up) -> None:
    before = up.pids()["service"]
    os.kill(before, signal.SIGKILL)
    until(lambda: up.pids()["service"] != before)
    until(lambda: _healthy(up.line["api"]))
    said = up.said.read_text()
    assert "service ended with code -9; it is started again in 0.5 s" in said
    assert "service was started again (restart 1)." in said
    runtime = json.loads((up.folder / "runtime.json").read_text())
    assert runtime["restarts"]["service"] == 1


def test_doctor_finds_what_is_wrong_and_says_what_to_do(up: Up) -> None:
    argv = [*COMMAND, "doctor", "--json", "--data-dir", str(up.folder)]
    outcome = subprocess.run(argv, capture_output=True, text=True, check=False)
    findings = {row["check"]: row for row in map(json.loads, outcome.stdout.splitlines())}
    assert {name for name, row in findings.items() if not row["fine"]} <= {"restarts"}
    assert {"python", "packages", "disk", "mongodb", "replica set", "indexes", "redis", "lake"} <= set(findings)
    index = "session_id_1_status_1"

    def told() -> bool:
        # A process of the service that is just being started makes the index anew, so this may take a second try.
        with MongoClient(up.line["mongodb"]) as mongo:
            if index in mongo.stockverify.verification_records.index_information():
                mongo.stockverify.verification_records.drop_index(index)
        outcome = subprocess.run(argv, capture_output=True, text=True, check=False)
        finding = next(row for row in map(json.loads, outcome.stdout.splitlines()) if row["check"] == "indexes")
        said = (outcome.returncode, finding["says"], "Restart the service" in finding["advice"])
        return said == (1, f"missing: verification_records.{index}", True)

    until(told)


def test_nothing_outlives_a_killed_parent_and_the_data_survives(tmp_path: Path) -> None:
    first = Up(tmp_path / "data")
    with MongoClient(first.line["mongodb"]) as mongo:
        mongo.stockverify.kept.insert_one({"_id": 1})
    pids = first.pids()
    assert first.process.stdout
    first.process.kill()
    first.process.wait()
    first.process.stdout.close()
    until(lambda: not any(alive(pid) for pid in pids.values()), seconds=5)
    second = Up(tmp_path / "data")
    with MongoClient(second.line["mongodb"]) as mongo:
        assert mongo.stockverify.kept.count_documents({}) == 1
    assert "First start" not in second.said.read_text()
    assert second.end() == 0


def _healthy(api: str) -> bool:
    try:
        return httpx.get(f"{api}/api/health").status_code == 200
    except httpx.HTTPError:
        return False


def test_help_teaches_and_a_wrong_command_is_exit_code_2() -> None:
    shown = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=False)
    for name in ("up", "demo", "import", "snapshot", "compare", "export", "device", "doctor"):
        assert f"  {name} " in shown.stdout
    wrong = subprocess.run([*COMMAND, "dance"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2


def test_a_command_that_needs_a_running_system_says_so(tmp_path: Path) -> None:
    argv = [*COMMAND, "snapshot", "--data-dir", str(tmp_path)]
    outcome = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert outcome.returncode == 2
    assert "stockverify up" in outcome.stderr


def test_settings_for_mail_that_contradict_each_other_are_told_before_anything_starts(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    environ = os.environ | {"SMTP_HOST": "mail.shop.example", "SMTP_SECURITY": "none", "MAIL_FROM": "a@shop.example"}
    argv = [*COMMAND, "up", "--data-dir", str(folder)]
    refused = subprocess.run(argv, capture_output=True, text=True, check=False, env=environ)
    assert refused.returncode == 2
    (line,) = refused.stderr.strip().splitlines()
    assert line.startswith("stockverify: SMTP_SECURITY='none' is not usable: without encryption")
    assert not folder.exists()
    argv, environ = [*COMMAND, "doctor", "--data-dir", str(folder)], environ | {"MONGODB_URI": "mongodb://127.0.0.1:1/"}
    checked = subprocess.run(argv, capture_output=True, text=True, check=False, env=environ)
    assert checked.returncode == 1
    assert "redis: Redis is not known.\n      Set REDIS_URL" in checked.stdout
    assert "mail: The settings for mail contradict each other.\n      SMTP_SECURITY='none'" in checked.stdout
