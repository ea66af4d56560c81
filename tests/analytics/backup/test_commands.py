"""`stockverify backup` and `restore` as processes: what they say, and kill -9 in the middle of both."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from analytics.backup import Backups, back_up
from stockverify.clients import Document
from stockverify.environment import to_env
from stockverify.settings import Settings
from tests.analytics.backup.test_round_trip import CHANGED, ID
from tests.analytics.backup.world import AT, bytes_of, fill

Store = Database[Document]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(settings: Settings) -> Start:
    """Starts a command with pipes, as a script would."""

    def run(*arguments: str) -> "subprocess.Popen[str]":
        argv = [sys.executable, "-m", "stockverify", *arguments]
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(argv, env=to_env(settings), text=True, start_new_session=True, **pipes)

    return run


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)


def test_back_up_list_and_restore(start: Start, db: Store, mongo: "MongoClient[Document]", settings: Settings) -> None:
    fill(db)
    (settings.data_dir / "audit-head.json").write_text("[3, ...]")
    code, out, err = ended(start("backup", "--json"))
    assert (code, err) == (0, "")
    made = json.loads(out)
    assert made["database"] == db.name
    code, out, _ = ended(start("backup", "--list"))
    assert code == 0
    assert out.startswith(f"{made['backup_id']}  as of ")
    new = f"{db.name}_new"
    code, out, err = ended(start("restore", "latest", "--into", new, "--yes"))
    held = sum(part["documents"] for part in made["parts"])
    assert (code, err.startswith(f"Restoring {made['backup_id']}: {held:,} documents as of ")) == (0, True)
    assert f"start StockVerify with MONGODB_DATABASE={new}" in out
    assert bytes_of(mongo[new])["erp_items"] == bytes_of(db)["erp_items"]
    assert (settings.data_dir / "audit-head.json").exists()
    code, _, err = ended(start("restore", "latest", "--yes"))
    assert (code, "say with --replace" in err) == (2, True)
    code, _, err = ended(start("restore", "latest", "--replace"))
    assert (code, "Say --yes" in err) == (2, True)
    code, out, _ = ended(start("restore", "latest", "--replace", "--yes"))
    assert (code, "stockverify snapshot --full --accept-fewer" in out) == (0, True)
    assert not (settings.data_dir / "audit-head.json").exists()
    assert (settings.data_dir / "audit-head-before-restore.json").read_text() == "[3, ...]"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("restore", "latest"), "There is no backup in"),
        (("restore", "../users"), "is not the id of a backup"),
        (("restore", ID), "is not in"),
        (("restore", "latest", "--into", "admin"), "is no name for a database"),
        (("restore", "latest", "--into", "a.b"), "is no name for a database"),
        (("backup",), "is empty, so there is nothing to back up"),
    ],
)
def test_what_cannot_be_done_is_said(start: Start, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = ended(start(*arguments))
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())
    assert len(err.splitlines()) == 1


def test_kill_9_in_the_middle_of_a_backup(start: Start, db: Store, settings: Settings) -> None:
    fill(db, records=60_000)
    backups = Backups(settings.lake)
    process = start("backup")
    until(lambda: any(path.stat().st_size for path in backups.root.glob(".draft-*/verification_records.bson.zst")))
    _kill_all(process)
    assert backups.ids() == []
    assert list(backups.root.glob(".draft-*"))
    code, out, _ = ended(start("backup", "--json"))
    assert code == 0
    assert backups.checked(json.loads(out)["backup_id"]).documents > 60_000


def test_kill_9_in_the_middle_of_a_restore_changes_nothing(start: Start, db: Store, settings: Settings) -> None:
    fill(db, records=40_000)
    back_up(Backups(settings.lake), db, ID, AT)
    db["verification_records"].delete_many({"item_code": {"$ne": "i-1"}})
    before = bytes_of(db)
    process = start("restore", ID, "--replace", "--yes")
    until(lambda: db["restoring.verification_records"].estimated_document_count() > 1000)
    _kill_all(process)
    until(lambda: _quiet(db))
    assert bytes_of(db) == before
    code, _, err = ended(start("restore", ID, "--yes"))
    assert (code, "--replace" in err) == (2, True)
    code, _, _ = ended(start("restore", ID, "--replace", "--yes"))
    assert code == 0
    after = bytes_of(db)
    assert len(after["verification_records"]) == 40_000
    assert {name: after[name] for name in before if name not in {*CHANGED, "verification_records"}} == {
        name: before[name] for name in before if name not in {*CHANGED, "verification_records"}
    }
    assert [name for name in db.list_collection_names() if name.startswith("restoring.")] == []


def _kill_all(process: "subprocess.Popen[str]") -> None:
    """The command and the process that does its work, which are a group of their own."""

    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _quiet(db: Store) -> bool:
    """MongoDB may still be writing the last batch of a client that is gone."""
    seen = db["restoring.verification_records"].estimated_document_count()
    time.sleep(0.1)
    return seen == db["restoring.verification_records"].estimated_document_count()


def test_a_backup_says_when_it_was(start: Start, db: Store) -> None:
    fill(db)
    before = datetime.now(UTC)
    _, out, _ = ended(start("backup", "--json"))
    as_of = datetime.fromisoformat(json.loads(out)["as_of"])
    assert abs((as_of - before).total_seconds()) < 10
