"""The worker over a database that was brought back from a backup, in place of the one in use or beside it."""

import os
import threading
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from analytics import reports
from analytics.backup import Backups, back_up, restore
from analytics.extract import Terms, materialise
from analytics.lake import Lake, verify
from analytics.lake.reports import Reports
from analytics.lake.retention import Policy
from analytics.query import checked
from jobs.work.retention import retain
from jobs.worker import Worker
from stockverify.clients import Document, database
from stockverify.settings import Settings
from stockverify.wire.reports import QuerySpec
from tests.analytics.stock import NOW, item, record
from tests.jobs.conftest import queued

Store = Database[Document]
BACKUP = "20260201T030000000Z-0a1b2c3d"
REPORT = f"rs-{1:016x}"
NOTHING = Policy(hours=0, days=0, months=0)
HOURS_AGO = (NOW - timedelta(hours=7, minutes=30)).timestamp()


@pytest.mark.parametrize("replace", [True, False], ids=["--replace", "--into"])
def test_the_next_snapshot_says_what_to_do_and_then_all_goes_on(
    db: Store, lake: Lake, settings: Settings, mongo: "MongoClient[Document]", replace: bool
) -> None:
    db["erp_items"].insert_one(item("R1", "a", 1))
    db["verification_records"].insert_one(record("c-1", "R1", "a", 1))
    back_up(Backups(lake.root), db, BACKUP, NOW)
    db["verification_records"].insert_one(record("c-2", "R2", "a", 2))
    before = materialise(lake, db, NOW)
    name = settings.mongodb_database if replace else f"{settings.mongodb_database}-back"
    found = database(mongo, msgspec.structs.replace(settings, mongodb_database=name))
    restore(Backups(lake.root), BACKUP, found, datetime.now(UTC), replace=replace)

    refused = done(found, lake, settings, "first")
    assert refused["status"] == "failed"
    assert refused["error"].endswith(
        "Expected: at least 2; found: 1. If they were removed on purpose, or a backup was brought back, say so with "
        "`stockverify snapshot --full --accept-fewer`."
    )
    assert lake.ids() == [before.snapshot_id]
    accepted = materialise(lake, found, NOW, terms=Terms(whole=True, accept_fewer=True))
    found["verification_records"].insert_one(record("c-3", "R3", "a", 3))
    again = done(found, lake, settings, "second")
    assert (again["status"], again["error"]) == ("succeeded", None)
    rows = [lake.manifest("records", each).rows for each in (accepted.snapshot_id, again["snapshot_id"])]
    assert (rows, verify(lake.root)) == ([1, 2], [])


def test_a_copy_to_look_at_removes_nothing_that_is_not_its_own(
    db: Store, lake: Lake, settings: Settings, mongo: "MongoClient[Document]"
) -> None:
    """Report and pin were made since the backup; people then go back to the database that knows them."""
    db["erp_items"].insert_one(item("R1", "a", 1))
    db["verification_records"].insert_one(record("c-1", "R1", "a", 1))
    pinned = materialise(lake, db, NOW - timedelta(hours=9)).snapshot_id
    back_up(Backups(lake.root), db, BACKUP, NOW - timedelta(hours=8))
    db["report_snapshots"].insert_many([{"_id": pinned, "pinned": True}, {"_id": REPORT, "stored": True}])
    reports.keep(lake, REPORT, pinned, checked(QuerySpec(collection="positions")), {}, NOW)
    os.utime(lake.root / "reports" / REPORT, (HOURS_AGO, HOURS_AGO))
    copy = database(mongo, msgspec.structs.replace(settings, mongodb_database=f"{settings.mongodb_database}-copy"))
    restore(Backups(lake.root), BACKUP, copy, NOW - timedelta(hours=7))
    own = [materialise(lake, copy, NOW - timedelta(hours=hours)).snapshot_id for hours in (6, 5)]

    assert retain(lake, copy, NOTHING, "UTC", NOW) == own[:1]
    assert Reports(lake.root).manifest(REPORT).rows == 1
    assert lake.freeze(pinned).rows == 1
    assert verify(lake.root) == []
    assert retain(lake, copy, NOTHING, "UTC", NOW + timedelta(days=31)) == [pinned]
    assert Reports(lake.root).ids() == set()


def done(found: Store, lake: Lake, settings: Settings, run_id: str) -> Document:
    """A run that takes a snapshot, after its end."""
    found["report_runs"].insert_one(queued(run_id))
    Worker(found, lake, settings, "w", threading.Event()).tick(NOW)
    return found["report_runs"].find_one({"_id": run_id}) or {}
