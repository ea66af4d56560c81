"""What becomes of schedules while a worker works: owners, pauses, deletions, failures, notices."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from pymongo.database import Database

from analytics.extract import Abandoned
from analytics.lake import Lake
from jobs.runs.telling import Telling
from jobs.schedules.builtin import BUILTIN
from jobs.tools import Done, Tools
from stockverify.clients import Document
from stockverify.errors import BadInput
from stockverify.runs import asked_run, due_run
from stockverify.settings import Settings
from stockverify.vocabulary import RunPurpose
from tests.analytics.stock import NOW
from tests.jobs.conftest import Whole
from tests.jobs.schedules.making import person, schedule

Runs = Database[Document]
SEVEN = datetime(2026, 2, 1, 7, tzinfo=UTC)


class Works:
    """A kind of work that notes its runs and does as it is told."""

    def __init__(self) -> None:
        self.runs: list[Document] = []
        self.ends: list[Done | Exception] = []

    def __call__(self, tools: Tools, run: Document, now: datetime) -> Done:
        self.runs.append(run)
        end = self.ends.pop(0) if self.ends else Done("s-1", {"sent_to": 1, "content_hash": "h"}, "Fine.")
        if isinstance(end, Exception):
            raise end
        return end


@pytest.fixture
def works() -> Works:
    return Works()


@pytest.fixture
def whole(db: Runs, lake: Lake, settings: Settings, works: Works) -> Whole:
    db["users"].insert_one(person())
    quiet = msgspec.structs.replace(settings, snapshot_interval=10**8)
    house = {kind.value: lambda tools, run, now: Done() for kind, _, _ in BUILTIN}
    return Whole(db, lake, quiet, "w", threading.Event(), {**house, "report": works})


def stored(db: Runs, schedule_id: str = "s") -> Document:
    return db["report_schedules"].find_one({"_id": schedule_id}) or {}


def history(db: Runs) -> list[tuple[str, str | None]]:
    found = db["report_runs"].find({"schedule_id": "s"}).sort("due_at", 1)
    return [(run["status"], run["error"] or run["result"].get("skipped")) for run in found]


def test_a_run_ends_in_its_document_and_in_its_schedule(whole: Whole, works: Works, db: Runs) -> None:
    db["report_schedules"].insert_one(schedule("s", NOW, failures=2))
    whole.tick(SEVEN)
    [run] = db["report_runs"].find({"schedule_id": "s"})
    ended = {name: run[name] for name in ("status", "snapshot_id", "result", "note", "fence", "attempts")}
    assert ended == {
        "status": "succeeded",
        "snapshot_id": "s-1",
        "result": {"sent_to": 1, "content_hash": "h"},
        "note": "Fine.",
        "fence": 1,
        "attempts": 1,
    }
    assert (stored(db)["failures"], stored(db)["last"]["run_id"], stored(db)["last"]["due_at"]) == (
        0,
        run["_id"],
        SEVEN,
    )


def test_a_run_that_waited_knows_how_the_one_before_it_ended(whole: Whole, works: Works, db: Runs) -> None:
    db["report_schedules"].insert_one(schedule("s", NOW, cron="0 * * * *"))
    for hours in range(2):
        whole.queueing.tick(SEVEN + timedelta(hours=hours))
    whole.worker.tick(SEVEN)
    assert [run["schedule"]["last"] and run["schedule"]["last"]["run_id"] for run in works.runs] == [
        None,
        "s@20260201T070000Z",
    ]


def test_beside_a_run_under_way_no_worker_takes_another_of_its_schedule(
    whole: Whole, works: Works, db: Runs, lake: Lake, settings: Settings
) -> None:
    """Both would tell what has changed since the same delivery."""
    db["report_schedules"].insert_one(schedule("s", NOW, cron="0 * * * *"))
    for hours in range(2):
        whole.queueing.tick(SEVEN + timedelta(hours=hours))
    meanwhile = Works()
    other = Whole(db, lake, settings, "other", work={"report": meanwhile}).worker

    def slow(tools: Tools, run: Document, now: datetime) -> Done:
        other.tick(now)
        return works(tools, run, now)

    whole.worker._work = {"report": slow}
    whole.worker.tick(SEVEN)
    assert meanwhile.runs == []
    assert [(run["schedule"]["last"] or {}).get("run_id") for run in works.runs] == [None, "s@20260201T070000Z"]


@pytest.mark.parametrize(
    ("became", "over", "failures"),
    [
        ({"state": "failed"}, False, 1),
        ({"state": "failed", "outage": True}, False, 0),
        ({"state": "queued"}, True, 0),
    ],
    ids=["refused", "the mail server was away", "it waits"],
)
def test_an_alarm_that_reached_nobody_is_not_taken_for_told(
    whole: Whole, works: Works, db: Runs, became: Document, over: bool, failures: int
) -> None:
    db["report_schedules"].insert_one(schedule("s", NOW))
    works.ends = [Done("s-1", {"sent_to": 1, "over_limit": True})]
    whole.tick(SEVEN)
    mail = {"run_id": "s@20260201T070000Z", "kind": "report"}
    db["report_deliveries"].insert_many([mail | became, mail | {"state": "cancelled"}])
    whole.tick(SEVEN + timedelta(days=1))
    assert [(run["schedule"]["last"] or {}).get("over_limit") for run in works.runs] == [None, over]
    assert stored(db)["failures"] == failures


def test_a_run_that_is_taken_over_keeps_what_it_knew(whole: Whole, works: Works, db: Runs) -> None:
    """It chose its snapshot, then its worker died; meanwhile another run of the schedule ended."""
    made = schedule("s", NOW)
    db["report_schedules"].insert_one(made | {"last": {"run_id": "newer", "due_at": NOW}})
    db["report_runs"].insert_one(due_run(made, SEVEN, False, SEVEN) | {"snapshot_id": "s-0"})
    whole.worker.tick(SEVEN)
    assert [run["schedule"]["last"] for run in works.runs] == [None]


@pytest.mark.parametrize(
    ("owner", "reason"),
    [
        ({"is_active": False}, "Its owner ann is disabled or gone."),
        (None, "Its owner ann is disabled or gone."),
        ({"role": "staff"}, "Its owner ann may not have reports sent any more."),
    ],
    ids=["disabled", "gone", "another role"],
)
def test_a_schedule_without_an_owner_stops_with_notice_to_the_admins(
    whole: Whole, works: Works, db: Runs, owner: Document | None, reason: str
) -> None:
    db["report_schedules"].insert_one(schedule("s", NOW, cron="0 * * * *"))
    db["users"].delete_many({})
    if owner is not None:
        db["users"].insert_one(person(**owner))
    db["users"].insert_many([person("u-root", role="admin"), person("u-old", role="admin", is_active=False)])
    for hours in range(2):  # the second was queued before anybody knew
        whole.queueing.tick(SEVEN + timedelta(hours=hours))
    whole.worker.tick(SEVEN)
    assert works.runs == []
    assert history(db) == [("failed", reason), ("succeeded", "The schedule was paused before its turn came.")]
    assert (stored(db)["state"], stored(db)["paused_reason"]) == ("paused", reason)
    told: list[tuple[Any, ...]] = []
    Telling(db, lambda *notice: bool(told.append(notice))).tick(SEVEN)
    assert [(notice[0], notice[1], notice[2], notice[5]) for notice in told] == [
        ("paused:s@20260201T070000Z:u-root", "u-root", "Paused: name of s", "s")
    ]
    Telling(db, lambda *notice: bool(told.append(notice))).tick(SEVEN)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"$set": {"state": "paused"}}, "The schedule was paused before its turn came."),
        (None, "The schedule was deleted before its turn came."),
    ],
    ids=["paused", "deleted"],
)
def test_what_was_stopped_meanwhile_is_not_done(
    whole: Whole, works: Works, db: Runs, change: Document | None, reason: str
) -> None:
    db["report_schedules"].insert_one(schedule("s", NOW))
    whole.queueing.tick(SEVEN)
    if change is None:
        db["report_schedules"].delete_one({"_id": "s"})
    else:
        db["report_schedules"].update_one({"_id": "s"}, change)
    whole.worker.tick(SEVEN)
    assert (works.runs, history(db)) == ([], [("succeeded", reason)])


def test_five_failures_in_a_row_pause_and_a_success_between_begins_anew(whole: Whole, works: Works, db: Runs) -> None:
    db["report_schedules"].insert_one(schedule("s", NOW))
    works.ends = [BadInput(reason="No."), ValueError("bug"), Done(), *[BadInput(reason="No.") for _ in range(9)]]
    for days in range(12):
        whole.tick(SEVEN + timedelta(days=days))
    assert [status for status, _ in history(db)] == ["failed", "failed", "succeeded", *["failed"] * 5]
    assert history(db)[1] == ("failed", "ValueError: bug")
    assert (stored(db)["state"], stored(db)["failures"]) == ("paused", 5)
    occasions = [
        each["occasion"] for run in db["report_runs"].find({"untold": {"$exists": 1}}) for each in run["untold"]
    ]
    assert sorted(occasions) == [
        "failed:s@20260201T070000Z",
        "failed:s@20260204T070000Z",
        "paused:s@20260208T070000Z",
    ]


def test_what_people_ask_for_is_done_whatever_the_state(whole: Whole, works: Works, db: Runs) -> None:
    made = schedule("s", NOW, state="draft")
    db["report_schedules"].insert_one(made)
    for purpose in (RunPurpose.PREVIEW, RunPurpose.TEST, RunPurpose.NOW):
        db["report_runs"].insert_one(asked_run(f"r-{purpose}", made, purpose, "ann", "u-ann", "a@b", NOW))
    whole.worker.tick(SEVEN)
    assert sorted(run["purpose"] for run in works.runs) == ["now", "preview", "test"]
    assert stored(db)["last"]["run_id"] == "r-now"


def test_a_schedule_of_the_house_needs_no_owner_and_its_failure_is_for_the_admins(
    db: Runs, lake: Lake, settings: Settings, works: Works
) -> None:
    quiet = msgspec.structs.replace(settings, snapshot_interval=10**8)
    whole = Whole(db, lake, quiet, work={"backup": works})
    whole.queueing.tick(SEVEN - timedelta(hours=12))
    db["report_schedules"].delete_many({"_id": {"$ne": "sch-backup"}})
    works.ends = [BadInput(reason="Disk full.")]
    whole.tick(SEVEN)
    [run] = db["report_runs"].find({"schedule_id": "sch-backup"})
    assert (run["status"], [each["to"] for each in run["untold"]]) == ("failed", [None])


def test_a_run_given_up_by_a_stopping_worker_is_no_failure(whole: Whole, works: Works, db: Runs) -> None:
    db["report_schedules"].insert_one(schedule("s", NOW))
    works.ends = [Abandoned()]
    whole.tick(SEVEN)
    assert (stored(db)["failures"], history(db), [run["fence"] for run in works.runs]) == (
        0,
        [("succeeded", None)],
        [1, 2],
    )


def test_a_worker_that_lost_its_run_changes_neither_run_nor_schedule(whole: Whole, works: Works, db: Runs) -> None:
    db["report_schedules"].insert_one(schedule("s", NOW))

    told: list[bool] = []

    def lost(tools: Tools, run: Document, now: datetime) -> Done:
        db["report_runs"].update_one({"_id": run["_id"]}, {"$inc": {"fence": 1}})
        whole.worker.renew(now)
        told.append(tools.stopping())
        return Done("mine", {"content_hash": "mine"})

    whole.worker._work = {"report": lost}
    whole.tick(SEVEN)
    assert told == [True]
    assert [run["status"] for run in db["report_runs"].find({"schedule_id": "s"})] == ["running"]
    assert stored(db)["last"] is None
