import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from analytics.compare import compared
from analytics.extract import materialise
from analytics.lake import Lake, verify
from analytics.lake.beside import figures_of, findings_of
from jobs.schedules.queueing import Queueing
from jobs.worker import Worker
from stockverify import indexes
from stockverify.clients import Document, open_mongo
from stockverify.settings import Settings
from tests.analytics.stock import NOW, item, record
from tests.jobs.conftest import Whole, queued
from tests.jobs.schedules.making import person, schedule

Runs = Database[Document]
Make = Callable[..., Whole]


@pytest.fixture
def worker(db: Runs, settings: Settings, lake: Lake) -> Make:
    """Workers that share the queue and the lake."""

    def make(name: str = "w", stop: threading.Event | None = None, lake: Lake = lake, **changes: Any) -> Whole:
        return Whole(db, lake, msgspec.structs.replace(settings, **changes), name, stop)

    return make


def runs(db: Runs) -> dict[str, Document]:
    return {run["_id"]: run for run in db["report_runs"].find()}


def test_a_queued_run_becomes_a_snapshot(worker: Make, lake: Lake, db: Runs) -> None:
    db["report_runs"].drop()  # with its indexes
    db["erp_items"].insert_one(item("R1", "a", 1))
    db["report_runs"].insert_one(queued("r"))
    before = datetime.now(UTC)
    worker().tick(NOW)
    found = runs(db)["r"]
    taken = lake.freeze(found["snapshot_id"])
    assert (found["status"], found["error"], taken.name) == ("succeeded", None, "name of r")
    assert before - timedelta(seconds=1) < found["started_at"] <= found["finished_at"] < datetime.now(UTC)
    assert indexes.missing(db) == []
    db["erp_items"].update_one({}, {"$set": {"book_qty": 2.0}})
    db["report_runs"].insert_one(queued("r-1"))
    worker().tick(NOW)
    newest, previous, *_ = lake.ids()
    assert compared(Lake(lake.root), previous, newest), "nor for what has changed since the snapshot before"
    kept = figures_of(lake.root, taken.snapshot_id)
    assert kept.is_file() and findings_of(lake.root, taken.snapshot_id).is_file(), (
        "the first visitor does not wait for its figures"
    )
    shutil.rmtree(kept.parent)
    shutil.rmtree(lake.root / "comparisons")
    for folder in (kept.parent, lake.root / "comparisons"):
        folder.touch()  # no place to write to, as on a full disk
    db["report_runs"].insert_one(queued("r-2"))
    worker().tick(NOW)
    again = runs(db)["r-2"]
    assert (again["status"], lake.freeze(again["snapshot_id"]).rows) == ("succeeded", 1)


def test_the_interval_takes_one_snapshot_per_slot_over_all_workers(worker: Make, lake: Lake, db: Runs) -> None:
    db["erp_items"].insert_one(item("R1", "a", 1))
    first, second = worker("w-1"), worker("w-2")
    for minutes in (0, 1, 2):
        for each in (first, second):
            each.tick(NOW + timedelta(minutes=minutes))
    worker("restarted").tick(NOW + timedelta(minutes=3))
    assert (len(lake.freezes()), set(runs(db))) == (1, {"every-900s-20260131T183000Z", "retention-20260131T180000Z"})
    second.tick(NOW + timedelta(minutes=15))
    first.tick(NOW + timedelta(minutes=16))
    assert len(lake.freezes()) == 2
    assert {run["requested_by"] for run in runs(db).values()} == {"schedule"}


def test_nothing_is_taken_of_nothing_but_the_slot_is_not_lost(worker: Make, lake: Lake, db: Runs) -> None:
    only = worker()
    only.tick(NOW)
    assert runs(db) == {}
    db["verification_records"].insert_one(record("c", "R1", "a", 1))
    only.tick(NOW + timedelta(minutes=1))
    assert len(lake.freezes()) == 1


def test_a_failure_is_recorded_and_the_worker_goes_on(worker: Make, lake: Lake, db: Runs) -> None:
    db["report_runs"].insert_many([queued("empty"), queued("strange", age=1, kind="fly")])
    worker().tick(NOW)
    found = runs(db)
    assert {name: run["status"] for name, run in found.items()} == {"empty": "failed", "strange": "failed"}
    assert found["empty"]["error"].startswith("There is no item, session or record yet")
    assert found["strange"]["error"] == "The worker does not know the kind 'fly'."
    db["erp_items"].insert_one(item("R1", "a", 1) | {"book_qty": "many"})
    db["report_runs"].insert_one(queued("damaged"))
    worker().tick(NOW)
    assert "erp_items holds a document that does not fit its declared types" in runs(db)["damaged"]["error"]
    db["erp_items"].update_one({}, {"$set": {"book_qty": 1}})
    db["report_runs"].insert_one(queued("fine"))
    worker().tick(NOW)
    assert runs(db)["fine"]["status"] == "succeeded"
    assert len(lake.freezes()) == 1


def test_a_crash_is_a_failure_too(worker: Make, lake: Lake, db: Runs) -> None:
    db["erp_items"].insert_one(item("R1", "a", 1))
    db["report_runs"].insert_one(queued("r"))
    lake.root.parent.mkdir(exist_ok=True)
    lake.root.write_text("a file where the lake should be")
    worker().tick(NOW)
    found = runs(db)["r"]
    assert found["status"] == "failed"
    assert found["error"].startswith(("FileExistsError", "NotADirectoryError"))


def test_a_worker_that_stops_hands_its_run_back(worker: Make, lake: Lake, db: Runs) -> None:
    db["erp_items"].insert_one(item("R1", "a", 1))
    db["report_runs"].insert_one(queued("r"))
    stop = threading.Event()

    class Stopping(Lake):
        """Tells the worker to stop once it has begun."""

        @property
        def root(self):  # type: ignore[no-untyped-def]
            stop.set()
            return lake.root

        @root.setter
        def root(self, value: object) -> None: ...

    worker("w-1", stop, Stopping(lake.root)).worker.tick(NOW)
    found = runs(db)["r"]
    assert (found["status"], found["attempts"], found["error"]) == ("queued", 0, None)
    assert lake.freezes() == []
    worker("w-2").tick(NOW)
    assert runs(db)["r"]["status"] == "succeeded"


def test_a_run_that_never_ends_is_given_up(worker: Make, lake: Lake, db: Runs) -> None:
    db["erp_items"].insert_one(item("R1", "a", 1))
    db["report_runs"].insert_one(queued("r", attempts=3))
    worker().tick(NOW)
    found = runs(db)["r"]
    assert (found["status"], found["error"]) == (
        "failed",
        "It was tried 3 times and never ended; see the worker's log.",
    )
    assert "r" not in {freeze.name for freeze in lake.freezes()}


def test_nothing_is_taken_before_the_indexes_are_there(db: Runs, lake: Lake, settings: Settings) -> None:
    """A read of one moment fails while indexes are being made, which would cost the run an attempt."""
    db["erp_items"].insert_one(item("R1", "a", 1))
    db["report_runs"].insert_one(queued("r"))
    queueing = Queueing(db, lake, settings)
    early = Worker(db, lake, settings, "w", threading.Event(), ready=queueing.prepared)
    early.tick(NOW)
    assert (runs(db)["r"]["status"], "attempts" in runs(db)["r"]) == ("queued", False)
    queueing.tick(NOW)
    early.tick(NOW)
    assert (runs(db)["r"]["status"], runs(db)["r"]["attempts"]) == ("succeeded", 1)


def test_two_workers_at_once_do_every_run_once(worker: Make, lake: Lake, db: Runs) -> None:
    db["erp_items"].insert_one(item("R1", "a", 1))
    db["report_runs"].insert_many([queued(f"r-{number}", age=number) for number in range(12)])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: worker(name).tick(NOW), ("w-1", "w-2")))
    found = {name: run for name, run in runs(db).items() if run["kind"] == "materialise"}
    assert {(run["status"], run["error"]) for run in found.values()} == {("succeeded", None)}
    assert {run["attempts"] for run in found.values()} == {1}
    assert sorted(run["snapshot_id"] for run in found.values()) == sorted(lake.ids())
    assert sorted(freeze.name for freeze in lake.freezes()) == ["", *sorted(f"name of r-{n}" for n in range(12))]
    assert verify(lake.root) == []


def test_trouble_with_mongodb_ends_a_tick_and_not_the_worker(lake: Lake, settings: Settings) -> None:
    client: MongoClient[Document] = open_mongo("mongodb://127.0.0.1:9/")
    with client:
        alone = Whole(client["nowhere"], lake, settings)
        alone.tick(NOW)
        alone.worker.renew(NOW)


def test_many_new_records_bring_a_snapshot_before_its_time(worker: Make, lake: Lake, db: Runs) -> None:
    db["erp_items"].insert_one(item("R1", "a", 1))
    only = worker(snapshot_after_records=3)
    for minute, many in enumerate((0, 2, 1, 0, 2, 1)):
        for number in range(many):
            db["verification_records"].insert_one(record(f"c-{minute}-{number}", "R1", "a", 1))
        only.tick(NOW + timedelta(minutes=minute))
    assert [lake.manifest("records", snapshot_id).rows for snapshot_id in lake.ids()] == [6, 3, 0]


def test_a_schedule_of_snapshots_takes_one_when_it_is_due(worker: Make, lake: Lake, db: Runs) -> None:
    db["users"].insert_one(person())
    db["erp_items"].insert_one(item("R1", "a", 1))
    made = schedule("s", NOW, kind="materialise", name="At seven", report=None, recipients=[], cron="0 7 * * *")
    db["report_schedules"].insert_one(made)
    only = worker(snapshot_interval=10**8)
    before = made["next_due_at"] - timedelta(seconds=1)
    only.tick(before)
    taken = len(lake.ids())
    for seconds in range(3):
        only.tick(made["next_due_at"] + timedelta(seconds=seconds))
    [run] = db["report_runs"].find({"schedule_id": "s"})
    assert (run["status"], run["error"], lake.freeze(run["snapshot_id"]).name) == ("succeeded", None, "At seven")
    assert len(lake.ids()) == taken + 1
    assert (db["report_schedules"].find_one({"_id": "s"}) or {})["last"]["snapshot_id"] == run["snapshot_id"]


def test_what_the_gate_refuses_fails_the_run_and_leaves_the_one_before(worker: Make, lake: Lake, db: Runs) -> None:
    db["verification_records"].insert_many([record(f"c-{number}", "R1", "a", 1) for number in range(3)])
    worker().tick(NOW)
    [before] = lake.ids()
    db["verification_records"].delete_one({})
    db["report_runs"].insert_one(queued("fewer"))
    worker().tick(NOW)
    found = runs(db)["fewer"]
    assert found["status"] == "failed"
    assert (
        "Check: rows against the snapshot before of verification_records. Expected: at least 3; found: 2."
        in found["error"]
    )
    assert lake.ids() == [before]


def test_retention_removes_what_the_policy_does_not_keep_and_nothing_refers_to(
    worker: Make, lake: Lake, db: Runs
) -> None:
    db["erp_items"].insert_one(item("R1", "a", 1))
    long_ago = datetime.now(UTC) - timedelta(days=400)
    taken = [materialise(lake, db, long_ago + timedelta(minutes=number)).snapshot_id for number in range(9)]
    db["report_pins"].insert_one({"_id": taken[0]})
    db["report_compare_jobs"].insert_one({"snapshot_a_id": taken[1], "comparison_result": {"rows": [taken[8]]}})
    db["report_schedules"].insert_one({"sources": [{"snapshot": taken[2]}]})
    db["report_snapshots"].insert_one({"_id": "rs-old", "freeze_id": taken[3]})
    db["report_snapshots"].insert_one({"_id": "rs-new", "freeze_id": taken[4], "stored": True})
    newest = materialise(lake, db, long_ago + timedelta(days=1)).snapshot_id
    db["report_runs"].insert_one(queued("r", kind="retention"))
    worker(snapshot_interval=10**7).tick(long_ago)
    found = runs(db)["r"]
    assert (found["status"], found["error"], found["snapshot_id"]) == ("succeeded", None, None)
    assert sorted(lake.ids())[:5] == sorted([*taken[:4], newest])
    assert verify(lake.root) == []
    assert list(lake.root.rglob(".*")) == []
