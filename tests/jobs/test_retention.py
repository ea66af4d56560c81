"""Retention as the worker does it, with a real MongoDB: what is referred to stays, and what nobody knows goes."""

import os
import threading
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from pymongo.database import Database

from analytics import reports
from analytics.compare import compare
from analytics.extract import materialise
from analytics.lake import Lake, verify
from analytics.lake.reports import Reports
from analytics.lake.retention import Policy
from analytics.lake.scoped import lake_within
from analytics.query import checked
from jobs.work.retention import retain, sweep_reports
from jobs.worker import Worker
from stockverify.clients import Document
from stockverify.settings import Settings
from stockverify.wire.reports import QuerySpec
from tests.analytics.stock import NOW, item
from tests.jobs.conftest import queued

NOTHING = Policy(hours=0, days=0, months=0)
SPEC = QuerySpec(collection="positions")
Freeze = Callable[[int], str]


@pytest.fixture
def freeze(db: Database[Document], lake: Lake) -> Freeze:
    """Takes a snapshot of so many hours ago; gives its id."""
    db["erp_items"].insert_one(item("R1", "a", 1))
    return lambda hours: materialise(lake, db, NOW - timedelta(hours=hours)).snapshot_id


def report(lake: Lake, number: int, freeze_id: str, hours: int) -> str:
    """A report snapshot whose rows were written so many hours before NOW; gives its id."""
    report_id = f"rs-{number:016x}"
    reports.keep(lake, report_id, freeze_id, checked(SPEC), {}, NOW)
    written = (NOW - timedelta(hours=hours)).timestamp()
    os.utime(lake.root / "reports" / report_id, (written, written))
    return report_id


def test_what_something_refers_to_stays(db: Database[Document], lake: Lake, freeze: Freeze) -> None:
    pinned, compared, scheduled, unstored, told, forgotten, newest = (freeze(hours) for hours in range(9, 2, -1))
    db["report_snapshots"].insert_many(
        [
            {"_id": pinned, "pinned": True},
            {"_id": "rs-1", "freeze_id": unstored},
            {"_id": "rs-2", "freeze_id": told, "stored": True},
        ]
    )
    db["report_compare_jobs"].insert_one({"_id": "j", "sides": [{"freeze_id": compared}], "comparison_result": told})
    db["report_schedules"].insert_one({"_id": "s", "last": {"snapshot_id": scheduled}})
    db["report_runs"].insert_one(queued("r", snapshot_id=forgotten, status="succeeded"))
    seen = [lake, lake_within(lake, ["Ground"])]
    gone = [compare(each, *pair).folder for each in seen for pair in ((told, newest), (compared, forgotten))]
    left = [compare(each, compared, newest).folder for each in seen]
    assert retain(lake, db, NOTHING, "UTC", NOW) == [told, forgotten]
    assert [[folder.exists() for folder in folders] for folders in (gone, left)] == [[False] * 4, [True] * 2]
    assert [each.snapshot_id for each in lake.freezes()] == [newest, unstored, scheduled, compared, pinned]
    assert verify(lake.root) == []
    assert retain(lake, db, NOTHING, "UTC", NOW) == []


def test_rows_of_reports_go_only_when_no_document_knows_them_and_they_are_old(
    db: Database[Document], lake: Lake, freeze: Freeze
) -> None:
    freeze_id = freeze(1)
    known, orphan, young = (report(lake, number, freeze_id, hours) for number, hours in enumerate((5, 5, 0)))
    db["report_snapshots"].insert_one({"_id": known, "stored": True})
    sweep_reports(Reports(lake.root), db, NOW)
    assert Reports(lake.root).ids() == {known, young}
    db["report_snapshots"].delete_one({"_id": known})
    sweep_reports(Reports(lake.root), db, NOW + timedelta(hours=2))
    assert (Reports(lake.root).ids(), orphan in Reports(lake.root).ids()) == (set(), False)


def test_the_worker_does_it_when_it_is_queued(
    db: Database[Document], lake: Lake, settings: Settings, freeze: Freeze
) -> None:
    old, pinned = freeze(9), freeze(3)
    orphan = report(lake, 7, pinned, 5)
    db["report_snapshots"].insert_one({"_id": pinned, "pinned": True})
    db["report_runs"].insert_one(queued("r", age=1, kind="retention"))
    none = msgspec.structs.replace(settings, keep_hours=0, keep_days=0, keep_months=0)
    Worker(db, lake, none, "w", threading.Event()).tick(NOW)
    found = db["report_runs"].find_one({"_id": "r"}) or {}
    assert (found["status"], found["snapshot_id"], found["error"]) == ("succeeded", None, None)
    assert old not in lake.ids()
    assert pinned in lake.ids()
    assert orphan not in Reports(lake.root).ids()
