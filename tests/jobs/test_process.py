"""The worker as a real process: SIGTERM, kill -9, and a MongoDB that goes away."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from analytics.lake import Lake, verify
from stockverify.clients import Document, database, open_mongo
from stockverify.environment import to_env
from stockverify.services import mongod
from stockverify.services.child import Child, Spec, free_port
from stockverify.services.embedded import Backends
from stockverify.settings import Settings
from tests.analytics.stock import item, record
from tests.jobs.conftest import queued
from tests.profiling import all_served

Runs = Database[Document]
Start = Callable[..., Child]


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


@pytest.fixture
def start(settings: Settings, tmp_path: Path, embedded: Backends, mongo: "MongoClient[Document]") -> Iterator[Start]:
    """Starts workers; kills those that are left. An index serves all that they ask."""
    started: list[Child] = []

    def run(name: str = "worker", given: Settings = settings) -> Child:
        quiet = msgspec.structs.replace(given, snapshot_interval=10**6)
        spec = Spec(name, (sys.executable, "-m", "jobs"), tmp_path / f"{name}.log", to_env(quiet))
        started.append(Child(spec))
        return started[-1]

    with all_served(embedded.settings, settings.mongodb_database, mongo):
        yield run
        for child in started:
            child.kill()


def events(child: Child) -> list[str]:
    """What the worker logged, which is one JSON object per line and nothing else."""
    return [json.loads(line)["event"] for line in child.spec.log.read_text().splitlines()]


def run_of(db: Runs, run_id: str) -> Document:
    found = db["report_runs"].find_one({"_id": run_id})
    assert found is not None
    return found


def test_it_works_and_ends_on_sigterm(start: Start, db: Runs, lake: Lake, settings: Settings) -> None:
    db["report_runs"].drop()  # with its indexes
    db["erp_items"].insert_one(item("R1", "a", 1))
    db["report_runs"].insert_one(queued("r"))
    child = start()
    until(lambda: run_of(db, "r")["status"] == "succeeded" and len(lake.ids()) == 2)
    assert run_of(db, "r")["attempts"] == 1, "it began before the indexes were there"
    asked = time.monotonic()
    child.stop()
    assert time.monotonic() - asked < 5
    assert child.exit_code() == 0, "it was killed, because it had not ended in time"
    assert (events(child)[0], events(child)[-1]) == ("worker_started", "worker_stopped")
    log = child.spec.log.read_text()
    assert settings.mongodb_uri
    password = settings.mongodb_uri.split("@")[0].rsplit(":", 1)[1]
    assert password not in log


def test_kill_9_in_the_middle_leaves_no_half_snapshot(start: Start, db: Runs, lake: Lake) -> None:
    """Another worker takes the run over once its lease lapsed, and finishes it."""
    db["verification_records"].insert_many(record(f"c-{n}", f"R{n % 50}", str(n), n) for n in range(30_000))
    db["report_runs"].insert_one(queued("r"))
    first = start("first")
    until(lambda: run_of(db, "r")["status"] == "running" and list(lake.root.rglob("*.parquet")))
    first.kill()
    assert [name for name in lake.ids() if lake.freeze(name).name] == []
    assert verify(lake.root) == []
    assert run_of(db, "r")["status"] == "running"
    second = start("second")
    until(lambda: "run_finished" in events(second))  # its own snapshot of the interval, while the lease still holds
    assert run_of(db, "r")["attempts"] == 1
    db["report_runs"].update_one({"_id": "r"}, [{"$set": {"lease_until": {"$subtract": ["$$NOW", 1]}}}])
    until(lambda: run_of(db, "r")["status"] == "succeeded")
    assert run_of(db, "r")["attempts"] == 2
    assert lake.freeze(run_of(db, "r")["snapshot_id"]).rows == 30_000
    assert verify(lake.root) == []


def test_mongodb_goes_away_and_comes_back(start: Start, tmp_path: Path) -> None:
    folder, port = tmp_path / "mongodb", free_port()
    server = mongod.start(folder, tmp_path / "mongod.log", port)
    try:
        own = Settings(data_dir=tmp_path / "own", mongodb_uri=mongod.uri(folder, port))
        with open_mongo(mongod.uri(folder, port)) as client:
            db = database(client, own)
            db["erp_items"].insert_one(item("R1", "a", 1))
            db["report_runs"].insert_one(queued("before"))
            child = start(given=own)
            until(lambda: run_of(db, "before")["status"] == "succeeded")
            server.kill()
            until(lambda: "mongodb_away" in events(child))
            server = mongod.start(folder, tmp_path / "mongod.log", port)
            db["report_runs"].insert_one(queued("after"))
            until(lambda: run_of(db, "after")["status"] == "succeeded")
            until(lambda: "mongodb_back" in events(child))
            assert child.exit_code() is None
    finally:
        server.kill()


def test_without_a_server_to_use_it_says_so(start: Start, settings: Settings) -> None:
    child = start(given=msgspec.structs.replace(settings, mongodb_uri=None))
    until(lambda: child.exit_code() is not None)
    assert child.exit_code() == 2
    assert "StockVerify is not running on" in child.spec.log.read_text()
