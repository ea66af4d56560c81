"""`stockverify outbox` as a person at a shell uses it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.mail.commands import outbox
from jobs.mail.letter import Letter, keep
from jobs.mail.outbox import Outbox
from stockverify.environment import to_env
from stockverify.settings import Settings
from stockverify.vocabulary import DeliveryKind
from tests.jobs.mail.conftest import NOW, RUN


@pytest.fixture
def shell(settings: Settings):
    """In a process of its own, as `stockverify` starts it; the other tests run the same command in this one."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "stockverify", "outbox", *arguments]
        environ = os.environ | to_env(settings)
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)

    return run


@pytest.fixture
def typed(settings: Settings):
    """What was printed, after a good end."""

    def run(*arguments: str) -> str:
        ended = CliRunner().invoke(outbox, arguments, env=to_env(settings))
        assert (ended.exit_code, ended.stderr) == (0, "")
        return ended.stdout

    return run


def test_mails_are_listed_for_people_and_for_programs(put, sender, shell, typed, db) -> None:
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
    (failed,) = [json.loads(line) for line in typed("--state", "failed", "--json").splitlines()]
    assert (failed["_id"], failed["error"], failed["run_id"]) == (ids[1], "550 nobody", RUN["_id"])
    assert "mail" not in failed
    assert typed("--state", "cancelled") == "No mails are cancelled.\n"


def test_a_mail_is_shown_as_it_is_sent(put, sender, typed, letter, tmp_path: Path) -> None:
    (delivery_id,) = put("ann@shop.example")
    assert "Subject: Variance — as of 5 January, 08:00" in typed("show", delivery_id)
    sender().tick(NOW)
    page = tmp_path / "mail.html"
    shown = typed("show", delivery_id, "--html", str(page))
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


def test_nothing_that_was_typed_or_replied_moves_the_cursor(settings: Settings, typed, db) -> None:
    letter = Letter(subject="\x1b[2Jgone", text="one\x1b[31m\ntwo", html="")
    keep(settings.mails, "r-1", letter, {})
    Outbox(db, settings.mails).put("r-1", letter, ["not \x1b[1m an address"], DeliveryKind.REPORT, {"_id": "r-1"}, NOW)
    db["report_deliveries"].update_one({}, {"$set": {"error": "550 \x1b]0;title\x07"}})
    (row,) = db["report_deliveries"].find()
    for said in (typed(), typed("show", row["_id"])):
        assert "\x1b" not in said
        assert "gone" in said


def test_what_is_not_there_is_said_in_a_line(shell, typed, db) -> None:
    unknown = shell("show", "nothing")
    assert unknown.returncode == 2
    assert unknown.stderr == "stockverify: There is no mail nothing. `stockverify outbox` lists all.\n"
    assert typed() == "No mails.\n"


def test_help_teaches_without_anything_running(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stockverify", "outbox", "--data-dir", str(tmp_path), "--help"]
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("MONGODB", "REDIS"))}
    helped = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "stockverify outbox --state failed --json" in helped
    assert "show" in helped
