"""What the end of a run means for its schedule. Pure."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.runs.outcomes import After, after, failed, skipped, succeeded
from jobs.tools import Done
from stockverify.clients import Document
from tests.analytics.stock import NOW
from tests.jobs.schedules.making import schedule


def run(purpose: str = "scheduled", **changes: Any) -> Document:
    due_at = NOW if purpose == "scheduled" else None
    asked = {"purpose": purpose, "due_at": due_at, "requested_at": NOW, "schedule": {"condition": LIMIT}}
    return {"_id": "r"} | asked | changes


LIMIT = {"kind": "figure", "figure": "shrinkage_value", "op": "gt", "limit": 500.0}
OTHER = LIMIT | {"figure": "accuracy", "op": "lt", "limit": 0.9}
BEFORE = {
    "delivered_run_id": "before",
    "delivered_snapshot_id": "s-0",
    "content_hash": "h-0",
    "over_limit": True,
    "condition": LIMIT,
    "counts": True,
}


def last(**changes: Any) -> Document:
    ended = {"run_id": "before", "due_at": NOW - timedelta(days=1), "status": "succeeded", "snapshot_id": "s-0"}
    return BEFORE | ended | changes


DELIVERED = succeeded(Done("s-1", {"sent_to": 2, "content_hash": "h-1", "over_limit": False}), NOW)
SKIPPED = succeeded(Done("s-1", {"skipped": "no rows", "content_hash": "h-1", "over_limit": False}), NOW)
FAILED = failed("It broke.", NOW)


@pytest.mark.parametrize("purpose", ["scheduled", "now"])
def test_a_delivery_is_what_the_next_run_compares_with(purpose: str) -> None:
    changed = after(schedule("s", NOW, last=last(), failures=3), run(purpose), DELIVERED, None)
    expected = {
        "run_id": "r",
        "due_at": NOW,
        "status": "succeeded",
        "snapshot_id": "s-1",
        "delivered_snapshot_id": "s-1",
        "content_hash": "h-1",
        "over_limit": False,
        "delivered_run_id": "r",
        "condition": LIMIT,
        "counts": purpose == "scheduled",
        "before": [BEFORE],
    }
    assert changed == After({"last": expected, "failures": 0}, [])


@pytest.mark.parametrize(
    ("outcome", "condition", "over"),
    [(SKIPPED, LIMIT, True), (SKIPPED, OTHER, False), (FAILED, LIMIT, True), (FAILED, OTHER, True)],
    ids=["skipped", "skipped by another condition", "failed", "failed under another condition"],
)
def test_what_was_delivered_stays_when_nothing_is(outcome: Document, condition: Document, over: bool) -> None:
    asked = run(schedule={"condition": condition})
    found = after(schedule("s", NOW, last=last()), asked, outcome, None).changes["last"]
    kept = (found["delivered_snapshot_id"], found["content_hash"], found["over_limit"], found["condition"])
    assert kept == ("s-0", "h-0", over, LIMIT if over else OTHER)


def test_a_run_that_is_overtaken_does_not_turn_back_what_is_known() -> None:
    newer = last(due_at=NOW + timedelta(hours=1))
    assert after(schedule("s", NOW, last=newer), run(), DELIVERED, None).changes == {"failures": 0}


@pytest.mark.parametrize("purpose", ["test", "preview"])
@pytest.mark.parametrize("outcome", [DELIVERED, FAILED])
def test_tests_and_previews_change_nothing(purpose: str, outcome: Document) -> None:
    assert after(schedule("s", NOW), run(purpose), outcome, None) == After({}, [])


def test_what_a_person_started_does_not_count_as_a_failure() -> None:
    found = after(schedule("s", NOW, failures=4), run("now"), FAILED, None)
    assert (set(found.changes), found.notices) == ({"last"}, [])


def test_five_failures_in_a_row_are_two_notices_and_a_pause() -> None:
    stored, told = schedule("s", NOW), []
    for number in range(1, 7):
        found = after(stored, run(_id=f"r-{number}", due_at=NOW + timedelta(days=number)), FAILED, None)
        stored |= found.changes
        told += [(each.occasion, each.to, each.subject) for each in found.notices]
        assert (stored["failures"], stored["state"]) == (number, "active" if number < 5 else "paused")
    assert told == [("failed:r-1", "u-ann", "Failed: name of s"), ("paused:r-5", "u-ann", "Paused: name of s")]
    assert stored["next_due_at"] is None
    assert stored["paused_reason"] == "It failed 5 times in a row; the last time: It broke."


def test_an_owner_who_is_gone_pauses_at_once_and_the_admins_hear_of_it() -> None:
    found = after(schedule("s", NOW), run(), FAILED, "Its owner ann is disabled or gone.")
    assert (found.changes["state"], found.changes["paused_reason"]) == ("paused", "Its owner ann is disabled or gone.")
    assert [(each.occasion, each.to) for each in found.notices] == [("paused:r", None)]


def test_skipping_is_a_success_that_says_why() -> None:
    assert (skipped("Why.", NOW)["status"], skipped("Why.", NOW)["result"]) == ("succeeded", {"skipped": "Why."})
