"""The house's own work as the worker does it: through the queue, and killed in the middle."""

import threading
from typing import Any

import pytest
from pymongo.database import Database

from analytics.backup import Backups
from analytics.lake import Lake
from jobs.worker import Worker
from stockverify import indexes
from stockverify.clients import Document
from stockverify.settings import Settings
from tests.analytics.backup.world import fill
from tests.analytics.stock import item
from tests.jobs.conftest import queued
from tests.jobs.test_process import Start, run_of, start, until

Store = Database[Document]
__all__ = ["start"]


@pytest.mark.parametrize("kind", ["stale_sweep", "anomaly_scan", "integrity", "backup"])
def test_each_kind_is_known_and_succeeds(db: Store, lake: Lake, settings: Settings, kind: str) -> None:
    indexes.ensure_blocking(db)
    db["erp_items"].insert_one(item("R1", "a", 1))
    db["report_runs"].insert_many([queued("first", age=1), queued("r", kind=kind)])
    Worker(db, lake, settings, "w", threading.Event()).tick(queued("x")["requested_at"])
    found = run_of(db, "r")
    assert (found["status"], found["error"]) == ("succeeded", None)
    expected: dict[str, Any] = {
        "stale_sweep": {"racks": 0, "sessions": 0},
        "anomaly_scan": {"new": 0, "told": 0},
        "integrity": {"faults": {}},
        "backup": {"removed": 0},
    }
    assert expected[kind].items() <= found["result"].items()


def test_kill_9_in_the_middle_of_a_backup_makes_one_backup(
    start: Start, db: Store, lake: Lake, settings: Settings
) -> None:
    indexes.ensure_blocking(db)
    fill(db, records=40_000)
    db["report_runs"].delete_many({})
    db["report_schedules"].delete_many({})
    db["report_deliveries"].delete_many({})
    db["report_runs"].insert_one(queued("r", kind="backup"))
    first = start("first")
    backups = Backups(lake.root)
    until(lambda: run_of(db, "r")["status"] == "running" and list(backups.root.glob(".draft-*/*.zst")), 40)
    first.kill()
    assert backups.ids() == []
    db["report_runs"].update_one({"_id": "r"}, [{"$set": {"lease_until": {"$subtract": ["$$NOW", 1]}}}])
    Worker(db, lake, settings, "second", threading.Event()).tick(queued("x")["requested_at"])
    assert (run_of(db, "r")["status"], run_of(db, "r")["attempts"]) == ("succeeded", 2)
    assert backups.ids() == [run_of(db, "r")["result"]["backup_id"]]
    assert backups.checked(backups.ids()[0]).documents >= 40_000
