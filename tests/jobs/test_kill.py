"""Invariant 18: one run per due time and one mail per recipient, with kill -9 at every step and several workers."""

import shutil
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from pymongo.database import Database

from analytics.extract import materialise
from analytics.lake import Freeze, Lake
from jobs.work import Work
from stockverify import indexes
from stockverify.clients import Document
from stockverify.letters import opened
from stockverify.settings import Settings
from tests.analytics.stock import NOW, item
from tests.jobs import mortal
from tests.jobs.schedules.making import person, schedule

Runs = Database[Document]
SEVEN = datetime(2026, 2, 1, 7, tzinfo=UTC)
MOST_STEPS = 60
TWO = ["a@shop.example", "b@shop.example"]
ASKED = {"subject": "query", "ref": None, "query": '{"collection": "erp_items"}', "params": {}, "columns": None}
"""Its file is larger than what its mails may hold, so that it is given out by a link."""


@pytest.fixture
def quiet(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, snapshot_interval=10**8)


@pytest.fixture
def freeze(db: Runs, lake: Lake) -> Freeze:
    """A snapshot that reports can be about, without quantities, which would have to be drawn. There is nothing left of
    which another one could be taken."""
    db["erp_items"].insert_many([item(f"R{number}", "a", 0) for number in range(9)])
    made = materialise(lake, db, SEVEN)
    db["erp_items"].delete_many({})
    return made


def fresh(db: Runs, settings: Settings, *schedules: Document) -> None:
    """Nothing but these schedules and their owner."""
    shutil.rmtree(settings.mails, ignore_errors=True)
    shutil.rmtree(settings.export_jobs, ignore_errors=True)
    for name in ("report_runs", "report_schedules", "report_deliveries", "report_exports", "users"):
        db[name].delete_many({})
    db["users"].insert_one(person(email="ann@shop.example"))
    db["report_schedules"].insert_many(dict(each) for each in schedules)


def lapse(db: Runs) -> None:
    """The dead have not been heard from for longer than their lease."""
    db["report_runs"].update_many({"status": "running"}, [{"$set": {"lease_until": {"$subtract": ["$$NOW", 1]}}}])


def survive(db: Runs, settings: Settings, works: Mapping[str, Work] = mortal.REAL) -> None:
    """Another worker does what is left. A tick ends early when MongoDB is slow to answer, as on a busy machine; the
    next one goes on."""
    now = SEVEN + timedelta(seconds=31)
    for _ in range(10):
        mortal.work_once(db, settings, "survivor", now, works)
        waiting = {"schedule_id": {"$regex": "^s"}, "status": {"$ne": "succeeded"}, "finished_at": None}
        is_due = {"state": "active", "next_due_at": {"$lte": now}}
        if not (db["report_runs"].find_one(waiting) or db["report_schedules"].find_one(is_due)):
            return
        lapse(db)


def seen(db: Runs, settings: Settings) -> dict[str, Any]:
    """What has come of it, without what the house does for itself."""
    runs = list(db["report_runs"].find({"schedule_id": "s"}))
    stored = db["report_schedules"].find_one({"_id": "s"}) or {}
    mails = list(db["report_deliveries"].find())
    return {
        "status": runs[0]["status"],
        "runs": [(run["_id"], run["status"]) for run in runs],
        "untold": [run["_id"] for run in runs if "untold" in run],
        "mails": sorted(f"{each['kind']} {each['recipient']}" for each in mails),
        "links": links(db, settings, {each["letter"] for each in mails if each["kind"] == "report"}),
        "failures": stored["failures"],
        "last": (stored["last"] or {}).get("status"),
        "next": stored["next_due_at"],
    }


def links(db: Runs, settings: Settings, letters: set[str]) -> int:
    """How many files lie behind the links of the letters, whole."""
    jobs = list(db["report_exports"].find())
    for letter in letters:
        text = opened(settings.mails, letter).text
        assert [job["_id"] for job in jobs if f"/api/reports/exports/{job['_id']}" in text] == [
            job["_id"] for job in jobs
        ]
    files = [path for path in settings.export_jobs.rglob("*.csv") if not path.name.startswith(".")]
    assert [path.stat().st_size for path in files] == [job["bytes"] for job in jobs]
    return len(jobs)


@pytest.mark.parametrize(
    ("kind", "least", "expected"),
    [
        ("report", 24, {"status": "succeeded", "mails": [f"report {each}" for each in TWO], "failures": 0, "links": 1}),
        ("backup", 18, {"status": "failed", "mails": ["notice ann@shop.example"], "failures": 1, "links": 0}),
    ],
    ids=["a report", "a failure"],
)
def test_kill_9_at_every_step(
    db: Runs, quiet: Settings, freeze: Freeze, kind: str, least: int, expected: dict[str, Any]
) -> None:
    indexes.ensure_blocking(db)
    made = schedule("s", NOW, kind=kind, recipients=TWO, report=ASKED, formats=["html", "csv"])
    for step in range(1, MOST_STEPS):
        fresh(db, quiet, made | {"max_attachment_bytes": 1})
        first = mortal.born(quiet, "first", SEVEN, mortal.REAL, step)
        first.join(30)
        assert first.exitcode in (0, -9), step
        lapse(db)
        survive(db, quiet)
        assert seen(db, quiet) == expected | {
            "runs": [("s@20260201T070000Z", expected["status"])],
            "untold": [],
            "last": expected["status"],
            "next": SEVEN + timedelta(days=1),
        }, step
        if first.exitcode == 0:
            break
    assert least < step < MOST_STEPS - 1


def test_three_workers_at_once_of_which_one_dies(db: Runs, quiet: Settings) -> None:
    indexes.ensure_blocking(db)
    names = [f"s-{number:02}" for number in range(40)]
    fresh(db, quiet, *(schedule(name, NOW, recipients=TWO) for name in names))
    start = mortal.together(3)
    workers = [mortal.born(quiet, f"w-{number}", SEVEN, mortal.QUICK, passes=5, start=start) for number in range(2)]
    workers.append(mortal.born(quiet, "dies", SEVEN, mortal.QUICK, 40, start=start))
    for each in workers:
        each.join(60)
    assert [each.exitcode for each in workers][:2] == [0, 0]
    lapse(db)
    survive(db, quiet, mortal.QUICK)
    runs = list(db["report_runs"].find({"schedule_id": {"$in": names}}))
    assert Counter(run["schedule_id"] for run in runs) == dict.fromkeys(names, 1)
    assert {run["status"] for run in runs} == {"succeeded"}
    mails = Counter((each["schedule_id"], each["recipient"]) for each in db["report_deliveries"].find())
    assert mails == {(name, each): 1 for name in names for each in TWO}
    assert len({run["worker"] for run in runs}) > 1
