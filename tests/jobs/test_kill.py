"""Invariant 18: one run per due time and one mail per recipient, with kill -9 at every step and several workers."""

import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from pymongo.database import Database

from stockverify import indexes
from stockverify.clients import Document
from stockverify.settings import Settings
from tests.analytics.stock import NOW
from tests.jobs import mortal
from tests.jobs.schedules.making import person, schedule

Runs = Database[Document]
SEVEN = datetime(2026, 2, 1, 7, tzinfo=UTC)
MOST_STEPS = 60
TWO = ["a@shop.example", "b@shop.example"]


@pytest.fixture
def quiet(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, snapshot_interval=10**8)


def fresh(db: Runs, settings: Settings, *schedules: Document) -> None:
    """Nothing but these schedules and their owner."""
    shutil.rmtree(settings.mails, ignore_errors=True)
    for name in ("report_runs", "report_schedules", "report_deliveries", "users"):
        db[name].delete_many({})
    db["users"].insert_one(person(email="ann@shop.example"))
    db["report_schedules"].insert_many(dict(each) for each in schedules)


def lapse(db: Runs) -> None:
    """The dead have not been heard from for longer than their lease."""
    db["report_runs"].update_many({"status": "running"}, [{"$set": {"lease_until": {"$subtract": ["$$NOW", 1]}}}])


def survive(db: Runs, settings: Settings) -> None:
    """Another worker does what is left. A tick ends early when MongoDB is slow to answer, as on a busy machine; the
    next one goes on."""
    now = SEVEN + timedelta(seconds=31)
    for _ in range(10):
        mortal.work_once(db, settings, "survivor", now)
        waiting = {"schedule_id": {"$regex": "^s"}, "status": {"$ne": "succeeded"}, "finished_at": None}
        is_due = {"state": "active", "next_due_at": {"$lte": now}}
        if not (db["report_runs"].find_one(waiting) or db["report_schedules"].find_one(is_due)):
            return
        lapse(db)


def seen(db: Runs) -> dict[str, Any]:
    """What has come of it, without what the house does for itself."""
    runs = list(db["report_runs"].find({"schedule_id": "s"}))
    stored = db["report_schedules"].find_one({"_id": "s"}) or {}
    return {
        "runs": [(run["_id"], run["status"]) for run in runs],
        "untold": [run["_id"] for run in runs if "untold" in run],
        "mails": sorted(f"{each['kind']} {each['recipient']}" for each in db["report_deliveries"].find()),
        "failures": stored["failures"],
        "last": (stored["last"] or {}).get("status"),
        "next": stored["next_due_at"],
    }


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("report", {"status": "succeeded", "mails": [f"report {each}" for each in TWO], "failures": 0}),
        ("backup", {"status": "failed", "mails": ["notice ann@shop.example"], "failures": 1}),
    ],
    ids=["a report", "a failure"],
)
def test_kill_9_at_every_step(
    db: Runs, quiet: Settings, when: mortal.When, kind: str, expected: dict[str, Any]
) -> None:
    indexes.ensure_blocking(db)
    for step in range(1, MOST_STEPS):
        fresh(db, quiet, schedule("s", NOW, kind=kind, recipients=TWO))
        first = mortal.born(quiet, "first", SEVEN, step, when)
        first.join(30)
        assert first.exitcode in (0, -9), step
        lapse(db)
        survive(db, quiet)
        assert seen(db) == {
            "runs": [("s@20260201T070000Z", expected["status"])],
            "untold": [],
            "mails": expected["mails"],
            "failures": expected["failures"],
            "last": expected["status"],
            "next": SEVEN + timedelta(days=1),
        }, (step, when)
        if first.exitcode == 0:
            break
    assert 12 < step < MOST_STEPS - 1


def test_three_workers_at_once_of_which_one_dies(db: Runs, quiet: Settings) -> None:
    indexes.ensure_blocking(db)
    names = [f"s-{number:02}" for number in range(40)]
    fresh(db, quiet, *(schedule(name, NOW, recipients=TWO) for name in names))
    workers = [mortal.born(quiet, f"w-{number}", SEVEN, passes=5) for number in range(2)]
    workers.append(mortal.born(quiet, "dies", SEVEN, 40, "after"))
    for each in workers:
        each.join(60)
    assert [each.exitcode for each in workers][:2] == [0, 0]
    lapse(db)
    survive(db, quiet)
    runs = list(db["report_runs"].find({"schedule_id": {"$in": names}}))
    assert Counter(run["schedule_id"] for run in runs) == dict.fromkeys(names, 1)
    assert {run["status"] for run in runs} == {"succeeded"}
    mails = Counter((each["schedule_id"], each["recipient"]) for each in db["report_deliveries"].find())
    assert mails == {(name, each): 1 for name in names for each in TWO}
    assert len({run["worker"] for run in runs}) > 1
