"""`stockverify device` as a person runs it, against the real service."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.service import ADMIN_PASSWORD, PASSWORD, Service

Stored = Database[dict[str, Any]]
Run = subprocess.CompletedProcess[str]


class Terminal:
    """Runs `stockverify device ...` with typed lines."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service, self.folder, self.rack = service, folder, service.rack()

    def __call__(self, *arguments: str, lines: str = "", password: str = PASSWORD, url: str = "") -> Run:
        command = [sys.executable, "-m", "stockverify", "device", *arguments, "--url", url or self.service.url]
        environ = os.environ | {"STOCKVERIFY_PASSWORD": password}
        return subprocess.run(
            command, cwd=self.folder, env=environ, input=lines, capture_output=True, text=True, check=False, timeout=60
        )

    def prompt(self, username: str, lines: str, **how: Any) -> Run:
        return self("prompt", "--username", username, "--queue", "device.sqlite", lines=lines, **how)


@pytest.fixture
def terminal(service: Service, tmp_path: Path) -> Terminal:
    return Terminal(service, tmp_path)


@pytest.fixture(scope="module")
def anna(service: Service) -> str:
    name: str = service.person().get("/api/auth/me").json()["username"]
    return name


def said(run: Run) -> list[str]:
    """What the device answered, without the invitations."""
    return [
        line.removeprefix("> ").strip() for line in run.stdout.replace("> ", "\n> ").splitlines() if line.strip("> ")
    ]


def test_a_rack_is_counted_from_claim_to_completion(terminal: Terminal, anna: str, stored: Stored) -> None:
    rack = terminal.rack
    lines = (
        f"claim {rack} Ground\ncount ITEM001 5 damage 1 bin 3\ncount ITEM002 0\nedit 1 6\nsync\nshow\ncomplete\nquit\n"
    )
    run = terminal.prompt(anna, lines)
    assert (run.returncode, run.stderr) == (0, "")
    assert said(run) == [
        f"The rack is yours. You count rack {rack}, floor Ground.",
        "Kept: ITEM001  5  damage 1  bin 3  (queued).",
        "Kept: ITEM002  0  (queued).",
        "Kept: ITEM001  6  damage 1  bin 3  (queued).",
        "2 sent, 0 waiting, 0 conflicts, 0 parked.",
        "1  ITEM001  6  damage 1  bin 3  (acked)",
        "2  ITEM002  0  (acked)",
        "2 sent, 0 waiting, 0 conflicts, 0 parked.",
        "Completed.",
    ]
    rows = stored.verification_records.find(
        {"rack_id": rack}, {"_id": 0, "item_code": 1, "verified_qty": 1, "damage_qty": 1}
    )
    assert sorted(rows, key=str) == [
        {"item_code": "ITEM001", "verified_qty": 6.0, "damage_qty": 1.0},
        {"item_code": "ITEM002", "verified_qty": 0.0, "damage_qty": 0.0},
    ]


def test_it_works_offline_and_sends_the_next_time(terminal: Terminal, anna: str, stored: Stored) -> None:
    rack = terminal.rack
    terminal.prompt(anna, f"claim {rack}\n")
    offline = terminal.prompt(anna, "count A 3\nsync\nclaim X\nnonsense\n", url="http://127.0.0.1:1")
    assert offline.returncode == 0
    told = said(offline)
    assert told[0].endswith(f"Go on counting rack {rack}.")
    assert told[1] == "Kept: A  3  (queued)."
    assert told[2].startswith(
        "0 sent, 1 waiting, 0 conflicts, 0 parked. The service at http://127.0.0.1:1 cannot be reached"
    )
    assert told[3] == f"This device holds rack {rack}; complete or release it before you claim another one."
    assert told[4] == "I do not understand 'nonsense'; type help for all commands."
    assert told[5] == "1 counts wait in device.sqlite; they are sent the next time."
    online = said(terminal.prompt(anna, "sync\n"))
    assert online == [f"You are back in rack {rack}.", "1 sent, 0 waiting, 0 conflicts, 0 parked."]
    assert stored.verification_records.count_documents({"rack_id": rack}) == 1


def test_lines_from_a_file_are_read_too(terminal: Terminal, anna: str) -> None:
    (terminal.folder / "script").write_text("help\nquit\n")
    command = [sys.executable, "-m", "stockverify", "device", "prompt", "--url", terminal.service.url]
    command += ["--username", anna, "--queue", "device.sqlite"]
    with (terminal.folder / "script").open() as script:
        environ = os.environ | {"STOCKVERIFY_PASSWORD": PASSWORD}
        run = subprocess.run(
            command, cwd=terminal.folder, env=environ, stdin=script, capture_output=True, text=True, check=False
        )
    assert (run.returncode, run.stderr, "count ITEM QTY" in run.stdout) == (0, "", True)


@pytest.mark.parametrize(
    ("arguments", "password", "message"),
    [
        pytest.param(["--queue", "d"], "wrong", "stockverify: The login was refused: The user name", id="password"),
        pytest.param(["--queue", "no/d"], PASSWORD, "stockverify: The device's file no/d cannot be used", id="folder"),
        pytest.param(["--queue", "d"], "", "stockverify: A password is needed", id="no password"),
        pytest.param(["--queue", "d", "--url", "x"], PASSWORD, "stockverify: 'x' is no address", id="address"),
        pytest.param(
            ["--queue", "d", "--password-file", "none"], "", "stockverify: The password file none", id="password file"
        ),
    ],
)
def test_errors_are_one_line_and_exit_code_2(
    terminal: Terminal, anna: str, arguments: list[str], password: str, message: str
) -> None:
    url = "x" if "x" in arguments else ""
    options = [each for each in arguments if each not in ("--url", "x")]
    run = terminal("prompt", "--username", anna, *options, password=password, url=url)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(message)
    assert run.stderr.count("\n") == 1


def test_a_device_in_use_is_said(terminal: Terminal, anna: str) -> None:
    command = [sys.executable, "-m", "stockverify", "device", "prompt", "--url", "http://127.0.0.1:1"]
    command += ["--username", anna, "--queue", "device.sqlite"]
    environ = os.environ | {"STOCKVERIFY_PASSWORD": PASSWORD}
    with subprocess.Popen(
        command, cwd=terminal.folder, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout
        assert first.stdin
        first.stdout.readline()
        second = terminal.prompt(anna, "")
        first.stdin.close()
    assert (second.returncode, first.returncode) == (2, 0)
    assert second.stderr == (
        "stockverify: The device's file device.sqlite is in use by another process. "
        "A device runs once; close the other one.\n"
    )


def test_load_counts_everything_and_sums_it_up(terminal: Terminal, stored: Stored) -> None:
    run = terminal(
        "load", "--username", "admin", "--devices", "3", "--records", "45", "--json", password=ADMIN_PASSWORD
    )
    assert (run.returncode, run.stderr) == (0, "")
    summary = json.loads(run.stdout)
    measured = {
        name: summary.pop(name) for name in ("latency_p50_ms", "latency_p95_ms", "seconds", "records_per_second")
    }
    batches = summary.pop("batches")
    assert summary == {"devices": 3, "records": 135, "acked": 135, "conflicts": 0, "parked": 0, "errors": 0}
    assert batches >= 3
    assert 0 < measured["latency_p50_ms"] <= measured["latency_p95_ms"]
    assert measured["records_per_second"] > 0
    assert stored.verification_records.count_documents({"floor": "Load"}) == 135


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "stockverify: The login was refused: "),
        ("http://127.0.0.1:1", "stockverify: The service at http://127.0.0.1:1"),
    ],
)
def test_load_that_cannot_start_is_an_error(terminal: Terminal, url: str, message: str) -> None:
    run = terminal("load", "--username", "admin", "--devices", "2", password="x", url=url)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(message)
    assert run.stderr.count("\n") == 1


def test_a_device_is_enrolled_with_a_code_and_logs_in_by_pin(terminal: Terminal, service: Service) -> None:
    body = {"username": "pina", "password": PASSWORD, "full_name": "Pina", "role": "staff", "pin": "314159"}
    service.admin.post("/api/auth/register", json=body).raise_for_status()
    code = service.admin.post("/api/devices/codes", json={"name": "Dock 3", "usernames": ["pina"]}).json()["code"]
    prompt = ("prompt", "--username", "pina", "--queue", "device.sqlite", "--pin")
    first = terminal(*prompt, "--code", code, lines=f"claim {terminal.rack}\nquit\n", password="314159")
    assert (first.returncode, first.stderr) == (0, "")
    assert said(first)[:2] == [
        "This device is enrolled as Dock 3.",
        f"The rack is yours. You count rack {terminal.rack}, floor -.",
    ]
    rows = service.admin.get("/api/devices/").json()
    device = next(row for row in rows if row["name"] == "Dock 3")
    assert device["last_login_at"] >= device["enrolled_at"]
    again = terminal(*prompt, "--code", code, password="314159")
    assert (again.returncode, again.stderr) == (
        2,
        "stockverify: The login was refused: The code is wrong, expired or was used before; ask for a new one.\n",
    )
    service.admin.post(f"/api/devices/{device['device_id']}/revoke", json={"reason": "stolen"}).raise_for_status()
    assert "You are logged out" in terminal(*prompt, password="314159").stderr
    revoked = terminal(*prompt, password="314159")
    assert "This device was revoked. Ask an admin for a code and enrol it anew." in revoked.stderr
