from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from analytics.extract import Abandoned
from jobs.runs.store import RunStore
from stockverify import indexes
from stockverify.clients import Document
from stockverify.vocabulary import Collection
from tests.analytics.stock import NOW, item
from tests.jobs.conftest import queued

Runs = Database[Document]


def lapse(db: Runs, run_id: str) -> None:
    """The worker has not been heard from for longer than its lease."""
    db["report_runs"].update_one({"_id": run_id}, [{"$set": {"lease_until": {"$subtract": ["$$NOW", 1]}}}])


def one(db: Runs, run_id: str) -> Document:
    found = db["report_runs"].find_one({"_id": run_id})
    assert found is not None
    return found


def test_the_oldest_waits_the_shortest(store: RunStore, db: Runs) -> None:
    db["report_runs"].insert_many([queued("young"), queued("old", age=60), queued("done", age=90, status="succeeded")])
    taken = [store.take("w", 30, NOW) for _ in range(3)]
    assert [run and run["_id"] for run in taken] == ["old", "young", None]


def test_a_taken_run_says_who_has_it_until_when(store: RunStore, db: Runs) -> None:
    db["report_runs"].insert_one(queued("r"))
    taken = store.take("w-1", 30, NOW)
    assert taken == one(db, "r")
    assert {name: taken[name] for name in ("status", "worker", "started_at", "attempts")} == {
        "status": "running",
        "worker": "w-1",
        "started_at": NOW,
        "attempts": 1,
    }
    server = db.command("hello")["localTime"].replace(tzinfo=UTC)
    assert timedelta(seconds=25) < taken["lease_until"] - server < timedelta(seconds=30)


def test_a_run_is_taken_over_only_when_its_lease_lapsed(store: RunStore, db: Runs) -> None:
    db["report_runs"].insert_one(queued("r"))
    store.take("w-1", 30, NOW)
    assert store.take("w-2", 30, NOW) is None
    assert store.renew(one(db, "r"), 30)
    assert store.take("w-2", 30, NOW) is None
    lapse(db, "r")
    taken = store.take("w-2", 30, NOW)
    assert taken is not None
    assert (taken["worker"], taken["attempts"]) == ("w-2", 2)


@pytest.mark.parametrize("successor", ["w-2", "w-1"], ids=["another worker", "a later self"])
def test_a_worker_that_lost_its_run_writes_nothing_more(store: RunStore, db: Runs, successor: str) -> None:
    db["report_runs"].insert_one(queued("r"))
    mine = store.take("w-1", 30, NOW)
    lapse(db, "r")
    theirs = store.take(successor, 30, NOW)
    assert mine is not None
    assert theirs is not None
    before = one(db, "r")
    assert (mine["fence"], theirs["fence"]) == (1, 2)
    assert not store.renew(mine, 30)
    assert not store.finish(mine, {"status": "succeeded", "snapshot_id": "mine"})
    store.hand_back(mine, None)
    with pytest.raises(Abandoned):
        store.choose_snapshot(mine, "mine")
    with pytest.raises(Abandoned):
        store.catch_up(mine | {"schedule": {}}, None)
    assert one(db, "r") == before
    assert store.finish(theirs, {"status": "succeeded", "snapshot_id": "theirs"})
    assert (one(db, "r")["snapshot_id"], one(db, "r")["lease_until"]) == ("theirs", None)


@pytest.mark.parametrize(("error", "attempts"), [(None, 0), ("MongoDB: AutoReconnect", 1)])
def test_a_run_that_is_handed_back_waits_again(store: RunStore, db: Runs, error: str | None, attempts: int) -> None:
    db["report_runs"].insert_one(queued("r"))
    taken = store.take("w-1", 30, NOW)
    assert taken is not None
    store.hand_back(taken, error)
    found = one(db, "r")
    assert (found["status"], found["started_at"], found["error"], found["attempts"]) == (
        "queued",
        None,
        error,
        attempts,
    )
    again = store.take("w-2", 30, NOW)
    assert again is not None
    assert (again["worker"], again["error"]) == ("w-2", None)


def test_many_workers_take_each_run_once(store: RunStore, db: Runs) -> None:
    db["report_runs"].insert_many([queued(f"r-{number:02}", age=number) for number in range(40)])

    def take_all(worker: str) -> list[str]:
        found = []
        while (run := store.take(worker, 30, NOW)) is not None:
            found.append(run["_id"])
        return found

    with ThreadPoolExecutor(8) as pool:
        taken = [run_id for found in pool.map(take_all, "abcdefgh") for run_id in found]
    assert sorted(taken) == [f"r-{number:02}" for number in range(40)]


def test_a_slot_is_queued_once(store: RunStore, db: Runs) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: store.queue_once(queued("slot")), range(16)))
    assert sorted(outcomes) == [False] * 15 + [True]
    assert db["report_runs"].count_documents({}) == 1


def test_anything_to_freeze(store: RunStore, db: Runs) -> None:
    assert not store.anything_to_freeze()
    db["erp_items"].insert_one(item("R1", "a", 1))
    assert store.anything_to_freeze()


def stages(plan: Any) -> set[str]:
    """All stages of a query plan."""
    if isinstance(plan, list):
        return {stage for part in plan for stage in stages(part)}
    if not isinstance(plan, dict):
        return set()
    own = {plan["stage"]} if "stage" in plan else set()
    return own | {stage for part in plan.values() for stage in stages(part)}


def test_every_query_is_served_by_an_index(store: RunStore, db: Runs) -> None:
    indexes.ensure_blocking(db)
    db["report_runs"].insert_many([queued("a"), queued("b", status="running", worker="w", lease_until=NOW)])
    lapsed = {"status": "running", "$expr": {"$lt": ["$lease_until", "$$NOW"]}}
    for wanted, order in (({"status": "queued"}, {"rank": 1, "requested_at": 1}), (lapsed, {"requested_at": 1})):
        plan = db["report_runs"].find(wanted).sort(order).limit(1).explain()
        found = stages(plan["queryPlanner"]["winningPlan"])
        assert "IXSCAN" in found
        assert not {"COLLSCAN", "SORT"} & found
    for collection, found in (
        ("report_runs", {"untold": {"$gt": []}}),
        ("report_schedules", {"state": "active", "next_due_at": {"$lte": NOW}}),
        ("users", {"role": "admin", "is_active": True}),
    ):
        plan = db[collection].find(found).explain()
        assert "IXSCAN" in stages(plan["queryPlanner"]["winningPlan"])
    plan = db[Collection.RECORDS].find({}, {"_id": 1}).sort("_id", 1).limit(1).explain()
    assert "COLLSCAN" not in stages(plan["queryPlanner"]["winningPlan"])


def test_what_people_wait_for_comes_before_what_was_due_and_after_what_was_lost(store: RunStore, db: Runs) -> None:
    db["report_runs"].insert_many([queued("due", age=90, rank=1), queued("asked"), queued("lost", rank=1)])
    db["report_runs"].update_one({"_id": "lost"}, {"$set": {"status": "running", "worker": "dead", "fence": 1}})
    lapse(db, "lost")
    taken = [store.take("w", 30, NOW) for _ in range(4)]
    assert [run and run["_id"] for run in taken] == ["lost", "asked", "due", None]


@pytest.mark.parametrize(("minutes", "late"), [(-1, False), (5, False), (6, True)])
def test_a_run_that_starts_long_after_it_was_due_is_late(store: RunStore, db: Runs, minutes: int, late: bool) -> None:
    db["report_runs"].insert_one(queued("r", due_at=NOW - timedelta(minutes=minutes)))
    taken = store.take("w", 30, NOW)
    assert taken is not None
    assert taken["late"] is late


def test_the_snapshot_of_a_run_is_settled_once(store: RunStore, db: Runs) -> None:
    db["report_runs"].insert_one(queued("r"))
    first = store.take("w-1", 30, NOW)
    assert first is not None
    assert store.choose_snapshot(first, "s-1") == "s-1"
    lapse(db, "r")
    second = store.take("w-2", 30, NOW)
    assert second is not None
    assert store.choose_snapshot(second, "s-2") == "s-1"


def test_many_are_queued_once_each(store: RunStore, db: Runs) -> None:
    indexes.ensure_blocking(db)
    made = [queued(f"r-{number}") for number in range(5)]
    assert (store.queue_each_once(made[:3]), store.queue_each_once(made)) == (3, 2)
    same_due_time = queued("another id", schedule_id="s", due_at=NOW, purpose="scheduled")
    assert store.queue_each_once([same_due_time, same_due_time | {"_id": "one more"}]) == 1
    asked = same_due_time | {"purpose": "now"}
    assert store.queue_each_once([asked | {"_id": "asked"}, asked | {"_id": "asked again"}]) == 2


def test_a_schedule_has_one_run_at_a_time(store: RunStore, db: Runs) -> None:
    """The second one is to tell what is new since the first; and what no schedule asked for waits for nobody."""
    indexes.ensure_blocking(db)
    db["report_runs"].insert_many(
        [queued(f"{name}-{age}", age=age, schedule_id=name) for name in ("s", "t") for age in (9, 5)]
    )
    db["report_runs"].insert_many([queued(f"free-{number}", age=1, schedule_id=None) for number in range(2)])
    taken = [store.take(f"w-{number}", 30, NOW) for number in range(5)]
    assert [run and run["_id"] for run in taken] == ["s-9", "t-9", "free-0", "free-1", None]
    assert taken[0] is not None
    assert store.finish(taken[0], {"status": "succeeded"})
    assert (store.take("w-6", 30, NOW) or {})["_id"] == "s-5"
    lapse(db, "t-9")
    again = store.take("w-7", 30, NOW)
    assert (again or {})["_id"] == "t-9"


def test_of_many_workers_at_the_same_moment_one_gets_the_run_of_a_schedule(store: RunStore, db: Runs) -> None:
    indexes.ensure_blocking(db)
    for turn in range(10):
        name = f"s-{turn}"
        db["report_runs"].insert_many([queued(f"{name}-{number}", schedule_id=name) for number in range(8)])
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(lambda number: store.take(f"w-{number}", 30, NOW), range(8)))
        assert len([run for run in taken if run]) == 1
        db["report_runs"].delete_many({})
