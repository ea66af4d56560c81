"""`stockverify outbox` as a person at a shell uses it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stockverify.settings import Settings, to_env
from tests.jobs.mail.conftest import NOW, RUN


@pytest.fixture
def shell(settings: Settings):
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "stockverify", "outbox", *arguments]
        environ = os.environ | to_env(settings)
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)

    return run


def test_mails_are_listed_for_people_and_for_programs(put, sender, shell, db) -> None:
    ids = put("ann@shop.example", "bob@shop.example")
    sender().tick(NOW)
    db["report_deliveries"].update_one({"_id": ids[1]}, {"$set": {"state": "failed", "error": "550 nobody"}})
    listed = shell()
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.count("2026-01-05T07:00:00+00:00") == 2
    assert (
        f"sent       ann@shop.example                  Variance — as of 5 January, 08:00\n    {ids[0]}\n"
        in listed.stdout
    )
    assert f"    {ids[1]}\n    550 nobody\n" in listed.stdout
    (failed,) = [json.loads(line) for line in shell("--state", "failed", "--json").stdout.splitlines()]
    assert (failed["_id"], failed["error"], failed["run_id"]) == (ids[1], "550 nobody", RUN["_id"])
    assert "mail" not in failed
    assert shell("--state", "cancelled").stdout == "No mails are cancelled.\n"


def test_a_mail_is_shown_as_it_is_sent(put, sender, shell, letter, tmp_path: Path) -> None:
    (delivery_id,) = put("ann@shop.example")
    before = shell("show", delivery_id)
    assert (before.returncode, "Subject: Variance — as of 5 January, 08:00" in before.stdout) == (0, True)
    sender().tick(NOW)
    page = tmp_path / "mail.html"
    shown = shell("show", delivery_id, "--html", str(page)).stdout
    for line in (
        "From: StockVerify <stockverify@localhost>",
        "To: ann@shop.example",
        "Date: Mon, 05 Jan 2026 07:00:00 +0000",
        f"X-StockVerify-Run: {RUN['_id']}",
        "Attached: Größe.csv (25 bytes)",
        ".a line that begins with a dot",
    ):
        assert line in shown
    assert shown.rstrip().endswith("sent      written to outbox folder")
    assert 'src="data:image/png;base64,' in page.read_text()


def test_what_is_not_there_is_said_in_a_line(shell, db, tmp_path: Path) -> None:
    unknown = shell("show", "nothing")
    assert unknown.returncode == 2
    assert unknown.stderr == "stockverify: There is no mail nothing. `stockverify outbox` lists all.\n"
    assert shell().stdout == "No mails.\n"


def test_help_teaches_without_anything_running(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stockverify", "outbox", "--data-dir", str(tmp_path), "--help"]
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("MONGODB", "REDIS"))}
    helped = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "stockverify outbox --state failed --json" in helped
    assert "show" in helped
