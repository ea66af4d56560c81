"""What is due is queued once: over any number of workers, outages, clock changes, and 500 at the same second."""

import itertools
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from pymongo.database import Database

from analytics.lake import Lake
from jobs.runs.store import RunStore
from jobs.schedules.builtin import BUILTIN
from jobs.schedules.due import turn
from jobs.schedules.queueing import Queueing
from jobs.tools import Done, Tools
from stockverify.clients import Document
from stockverify.cron import next_times
from stockverify.settings import Settings
from tests.analytics.stock import NOW
from tests.jobs.conftest import Whole
from tests.jobs.mortal import QUICK
from tests.jobs.schedules.making import person, schedule

Runs = Database[Document]
SEVEN = datetime(2026, 2, 1, 7, tzinfo=UTC)
TWO = ["a@shop.example", "b@shop.example"]


@pytest.fixture
def quiet(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, snapshot_interval=10**8)


@pytest.fixture
def queueing(db: Runs, lake: Lake, quiet: Settings) -> Queueing:
    return Queueing(db, lake, quiet)


def due_times(db: Runs, schedule_id: str) -> list[datetime]:
    return [run["due_at"] for run in db["report_runs"].find({"schedule_id": schedule_id}).sort("due_at", 1)]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (SEVEN - timedelta(seconds=1), None),
        (SEVEN, (SEVEN, False, SEVEN + timedelta(days=1))),
        (SEVEN + timedelta(hours=23), (SEVEN, False, SEVEN + timedelta(days=1))),
        (SEVEN + timedelta(days=3, hours=1), (SEVEN + timedelta(days=3), True, SEVEN + timedelta(days=4))),
    ],
    ids=["before", "at", "late, but nothing missed", "three days later"],
)
def test_whose_turn_it_is(now: datetime, expected: tuple[datetime, bool, datetime] | None) -> None:
    assert turn(schedule("s", NOW), now) == expected


def test_a_due_time_is_queued_once_with_the_schedule_as_it_was(queueing: Queueing, db: Runs) -> None:
    made = schedule("s", NOW)
    db["report_schedules"].insert_one(dict(made))
    for seconds in range(5):
        queueing.tick(SEVEN + timedelta(seconds=seconds))
    [run] = db["report_runs"].find({"schedule_id": "s"})
    assert run["schedule"] == made
    shown = {name: run[name] for name in ("_id", "kind", "name", "purpose", "due_at", "late", "requested_by", "rank")}
    assert shown == {
        "_id": "s@20260201T070000Z",
        "kind": "report",
        "name": "name of s",
        "purpose": "scheduled",
        "due_at": SEVEN,
        "late": False,
        "requested_by": "schedule",
        "rank": 1,
    }
    queueing.tick(SEVEN + timedelta(days=1))
    assert due_times(db, "s") == [SEVEN, SEVEN + timedelta(days=1)]


def test_drafts_and_paused_ones_have_no_turn(queueing: Queueing, db: Runs) -> None:
    for state in ("draft", "paused"):
        db["report_schedules"].insert_one(schedule(state, NOW, state=state))
    queueing.tick(SEVEN)
    assert db["report_runs"].count_documents({"schedule_id": {"$ne": None}, "kind": "report"}) == 0


def test_down_for_three_days_is_one_run_each_labelled_late(queueing: Queueing, db: Runs) -> None:
    crons = {"daily": "0 7 * * *", "hourly": "0 * * * *", "often": "*/5 * * * *", "weekly": "0 7 * * 0"}
    db["report_schedules"].insert_many([schedule(name, NOW, cron=cron) for name, cron in crons.items()])
    back = NOW + timedelta(days=3, minutes=2)
    queueing.tick(back)
    queueing.tick(back)
    assert {name: due_times(db, name) for name in crons} == {
        "daily": [datetime(2026, 2, 3, 7, tzinfo=UTC)],
        "hourly": [datetime(2026, 2, 3, 18, tzinfo=UTC)],
        "often": [datetime(2026, 2, 3, 18, 30, tzinfo=UTC)],
        "weekly": [SEVEN],
    }
    taken = [RunStore(db).take("w", 30, back) for _ in range(len(crons) + len(BUILTIN))]
    ours = {run["schedule_id"]: run["late"] for run in taken if run and run["schedule_id"] in crons}
    assert ours == dict.fromkeys(crons, True)


@pytest.mark.parametrize(
    "start", [datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)], ids=["spring", "autumn"]
)
def test_over_a_clock_change_every_due_time_has_one_run(db: Runs, lake: Lake, quiet: Settings, start: datetime) -> None:
    """Two workers whose frozen clocks are a minute apart; the clock moves on, the workers tick in turn."""
    crons = ("30 2 * * *", "0 2,3 * * *", "*/30 * * * *", "0 7 * * *", "30 1 * * 0")
    zones = ("Europe/Berlin", "Asia/Kolkata")
    pairs = {f"{zone} {cron}": (zone, cron) for zone in zones for cron in crons}
    db["report_schedules"].insert_many(
        [schedule(name, start, cron=cron, zone=zone, recipients=TWO) for name, (zone, cron) in pairs.items()]
    )
    workers = [Queueing(db, lake, quiet) for _ in range(2)]
    end = start + timedelta(hours=34)
    for minutes in range(0, 34 * 60 + 1, 15):
        for number, each in enumerate(workers):
            each.tick(start + timedelta(minutes=minutes - number))
    for name, (zone, cron) in pairs.items():
        expected = list(itertools.takewhile(lambda due: due <= end, next_times(cron, zone, start, 100)))
        assert due_times(db, name) == expected, name
    for zone in zones:
        night = [due for due in due_times(db, f"{zone} 30 2 * * *") if due < start + timedelta(hours=12)]
        assert len(night) == 1
    db["users"].insert_one(person())
    db["report_runs"].delete_many({"$or": [{"kind": {"$ne": "report"}}, {"schedule_id": {"$regex": "/30"}}]})
    due = {(run["schedule_id"], run["due_at"]) for run in db["report_runs"].find()}
    doers = [Whole(db, lake, quiet, name, work=QUICK).worker for name in ("w-1", "w-2")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: each.tick(end), doers))
    run_due = {run["_id"]: run["due_at"] for run in db["report_runs"].find()}
    mails = list(db["report_deliveries"].find())
    sent = Counter((each["schedule_id"], run_due[each["run_id"]], each["recipient"]) for each in mails)
    assert sent == {(*each, reader): 1 for each in due for reader in TWO}
    assert len(due) > 12


def test_500_due_in_the_same_second_are_all_queued_once_in_little_memory(db: Runs, lake: Lake, quiet: Settings) -> None:
    """Two workers at once. What is held in memory does not grow with how many are due."""
    peaks = {}
    for many in (100, 500):
        db["report_schedules"].delete_many({})
        names = [f"{many}-{number}" for number in range(many)]
        db["report_schedules"].insert_many([schedule(name, NOW, note="n" * 2000) for name in names])
        workers = [Queueing(db, lake, quiet) for _ in range(2)]
        for each in workers:
            each.tick(NOW)
        tracemalloc.start()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda each: each.tick(SEVEN), workers))
        peaks[many] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        found = Counter(run["schedule_id"] for run in db["report_runs"].find({"kind": "report", "due_at": SEVEN}))
        assert {name: found[name] for name in names} == dict.fromkeys(names, 1)
        assert db["report_schedules"].count_documents({"next_due_at": {"$lte": SEVEN}}) == 0
    assert peaks[500] < 1.5 * peaks[100] + 2**20, peaks
    done: list[str] = []

    def work(tools: Tools, run: Document, now: datetime) -> Done:
        done.append(run["schedule_id"])
        return Done()

    db["users"].insert_one(person())
    db["report_runs"].delete_many({"schedule_id": {"$regex": "^(100-|sch-)"}})
    doers = [Whole(db, lake, quiet, name, work={"report": work}).worker for name in ("w-1", "w-2")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: each.tick(SEVEN), doers))
    assert sorted(done) == sorted(names)
    assert {each["last"]["status"] for each in db["report_schedules"].find({"kind": "report"})} == {"succeeded"}


def test_whoever_died_between_queueing_and_moving_on_left_nothing_to_do_twice(queueing: Queueing, db: Runs) -> None:
    made = schedule("s", NOW)
    db["report_schedules"].insert_one(dict(made))
    queueing.tick(SEVEN)
    db["report_schedules"].update_one({"_id": "s"}, {"$set": {"next_due_at": SEVEN}})
    queueing.tick(SEVEN + timedelta(minutes=1))
    assert due_times(db, "s") == [SEVEN]
    found = db["report_schedules"].find_one({"_id": "s"}) or {}
    assert found["next_due_at"] == SEVEN + timedelta(days=1)


def test_an_edit_that_was_faster_stands(queueing: Queueing, db: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    db["report_schedules"].insert_one(schedule("s", NOW))
    retimed = SEVEN + timedelta(hours=5)
    inner = RunStore.queue_each_once

    def meanwhile(self: RunStore, runs: list[Document]) -> int:
        db["report_schedules"].update_one({"_id": "s"}, {"$set": {"next_due_at": retimed}})
        return inner(self, runs)

    monkeypatch.setattr(RunStore, "queue_each_once", meanwhile)
    queueing.tick(SEVEN)
    assert (db["report_schedules"].find_one({"_id": "s"}) or {})["next_due_at"] == retimed


def test_nonsense_in_the_database_pauses_its_schedule_and_no_other(queueing: Queueing, db: Runs) -> None:
    db["report_schedules"].insert_one(schedule("bad", NOW) | {"cron": "0 99 * * *"})
    db["report_schedules"].insert_one(schedule("zone", NOW) | {"zone": "Mars/Base"})
    db["report_schedules"].insert_one(schedule("good", NOW))
    queueing.tick(SEVEN)
    assert due_times(db, "good") == [SEVEN]
    for name, reason in (("bad", "Bad hour"), ("zone", "not a time zone")):
        found = db["report_schedules"].find_one({"_id": name}) or {}
        assert (found["state"], reason in found["paused_reason"]) == ("paused", True)


def test_the_schedules_of_the_house_are_made_once_and_then_left_alone(db: Runs, lake: Lake, quiet: Settings) -> None:
    berlin = msgspec.structs.replace(quiet, time_zone="Europe/Berlin")
    Queueing(db, lake, berlin).tick(NOW)
    found = {each["_id"]: each for each in db["report_schedules"].find({"builtin": True})}
    assert {name: each["cron"] for name, each in found.items()} == {
        "sch-stale-sweep": "*/5 * * * *",
        "sch-anomaly-scan": "10 * * * *",
        "sch-integrity": "30 3 * * *",
        "sch-backup": "30 2 * * *",
    }
    assert found["sch-backup"]["next_due_at"] == datetime(2026, 2, 1, 1, 30, tzinfo=UTC)
    db["report_schedules"].update_one({"_id": "sch-backup"}, {"$set": {"state": "paused", "cron": "0 4 * * *"}})
    Queueing(db, lake, berlin).tick(NOW)
    kept = db["report_schedules"].find_one({"_id": "sch-backup"}) or {}
    assert (kept["state"], kept["cron"]) == ("paused", "0 4 * * *")
