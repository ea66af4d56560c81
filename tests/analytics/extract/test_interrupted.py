"""Incremental snapshots when something is lost on the way: MongoDB's history, or the process."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from bson.timestamp import Timestamp
from pymongo import MongoClient

from analytics.extract import changes, materialise
from analytics.lake import Lake, verify
from stockverify.clients import Document, open_mongo
from stockverify.services import mongod
from stockverify.services.child import Spec, free_port
from stockverify.services.embedded import Backends
from stockverify.settings import Settings
from tests.analytics.conftest import Store
from tests.analytics.extract.changing import at_utc, everything
from tests.analytics.stock import NOW, item, record

_PATIENCE_SECONDS = 60


@pytest.fixture
def forgetful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["MongoClient[Document]"]:
    """A MongoDB with an oplog of one megabyte and a checkpoint every second, after which it forgets."""
    usual = mongod.spec

    def small(folder: Path, log: Path, port: int) -> Spec:
        spec = usual(folder, log, port)
        place = spec.argv.index("--oplogSize") + 1
        return spec._replace(argv=(*spec.argv[:place], "1", *spec.argv[place + 1 :], "--syncdelay", "1"))

    monkeypatch.setattr(mongod, "spec", small)
    port = free_port()
    child = mongod.start(tmp_path / "mongod", tmp_path / "mongod.log", port)
    try:
        with open_mongo(mongod.uri(tmp_path / "mongod", port), "tests") as client:
            yield client
    finally:
        child.kill()


def forgotten(db: Store, since: Timestamp) -> bool:
    """Whether MongoDB refuses to tell its history from then on."""
    with pytest.raises(changes.WholeNeeded) as refused:
        changes.changed(db, since, "a mark that nobody sets", ["erp_items"], 10**9)
    return "ChangeStreamHistoryLost" in str(refused.value)


def test_when_mongodb_has_forgotten_its_history_everything_is_read(
    forgetful: "MongoClient[Document]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, lake = at_utc(forgetful, "stock"), Lake(tmp_path / "lake")
    db["erp_items"].insert_one(item("R1", "a", 1))
    before = materialise(lake, db, NOW)
    db["verification_records"].insert_one(record("c", "R1", "a", 2.0))
    origin = lake.manifest("positions", before.snapshot_id).origin
    assert origin is not None
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with monkeypatch.context() as impatient:
        impatient.setattr(changes, "_PATIENCE_SECONDS", 0.0)
        while not forgotten(db, Timestamp(*origin.cluster_time)):
            assert time.monotonic() < deadline, "MongoDB remembers too well"
            db["noise"].insert_many([{"noise": os.urandom(100_000)} for _ in range(10)])
    taken = materialise(lake, db, NOW + timedelta(minutes=1))
    after = lake.manifest("positions", taken.snapshot_id).origin
    assert after is not None
    told = "MongoDB's history does not reach back to it (ChangeStreamHistoryLost)"
    assert (after.base, after.because) == (None, told)
    assert [row["verified_qty"] for row in everything(lake, taken.snapshot_id)["verification_records"]] == [2.0]
    assert verify(lake.root) == []


@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.faults)])
def test_killed_at_any_step_it_leaves_the_old_or_the_new(
    db: Store, embedded: Backends, settings: Settings, tmp_path: Path, stride: int
) -> None:
    base = Lake(tmp_path / "base")
    db["erp_items"].insert_many([item(f"R{number}", "a", number) for number in range(3)])
    db["verification_records"].insert_many([record(f"c-{number}", f"R{number}", "a", 1.5) for number in range(3)])
    before = materialise(base, db, NOW - timedelta(hours=1))
    db["verification_records"].update_one({"_id": "c-1"}, {"$set": {"verified_qty": 7.0}})
    db["verification_records"].insert_one(record("late", "R2", "b", 2.0))
    old, new = [1.5, 1.5, 1.5], [1.5, 7.0, 1.5, 2.0]
    argv = ["-m", "tests.analytics.extract.killed", str(settings.mongodb_uri), db.name, str(tmp_path), str(stride)]
    tried = int(subprocess.run([sys.executable, *argv], capture_output=True, text=True, check=True).stdout)
    assert tried > 5
    seen = []
    for step in range(1, tried + 1):
        lake = Lake(tmp_path / str(step))
        newest, *others = lake.freezes()
        found = [row["verified_qty"] for row in everything(lake, newest.snapshot_id)["verification_records"]]
        assert found == (new if others else old), step
        assert [each.snapshot_id for each in (others or [newest])] == [before.snapshot_id]
        assert verify(lake.root) == []
        seen.append(len(others))
    assert (seen, seen[0], seen[-1]) == (sorted(seen), 0, 1)
    again = materialise(Lake(tmp_path / "1"), db, NOW + timedelta(hours=1))
    origin = Lake(tmp_path / "1").manifest("positions", again.snapshot_id).origin
    assert origin is not None
    assert (origin.base, again.rows) == (before.snapshot_id, 4)
