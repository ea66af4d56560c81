"""What counts as told when mails fail hours after they were put into the outbox. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from jobs.runs.delivered import MOST_BEFORE, Fate, fate, known, runs_in
from jobs.runs.outcomes import after, failed, succeeded
from jobs.tools import Done
from stockverify.clients import Document
from tests.analytics.stock import NOW
from tests.jobs.schedules.making import schedule

ARRIVED, WAITING, FAILED, OUTAGE, CANCELLED = Fate
Fates = Mapping[str, Fate]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], ARRIVED),
        (["sent", "failed"], ARRIVED),
        (["unknown", "queued"], ARRIVED),
        (["queued", "failed"], WAITING),
        (["sending"], WAITING),
        (["failed", "cancelled"], FAILED),
        (["failed"], FAILED),
        (["cancelled"], CANCELLED),
        (["failed", "outage"], OUTAGE),
        (["outage", "queued"], WAITING),
        (["outage", "sent"], ARRIVED),
    ],
)
def test_one_mail_that_may_have_arrived_is_enough(states: list[str], expected: Fate) -> None:
    mails = [{"state": "failed", "outage": True} if state == "outage" else {"state": state} for state in states]
    assert fate(mails) is expected


class House:
    """A schedule whose runs end one after the other."""

    def __init__(self) -> None:
        self.stored, self.runs = schedule("s", NOW), 0
        self.told: list[str] = []

    def run(self, fates: Fates, outcome: str = "put", purpose: str = "scheduled") -> str | None:
        """One more run, named by its number; gives the delivery that it went by."""
        self.runs += 1
        went_by = known(self.stored["last"], fates).last()["delivered_run_id"]
        at = NOW + timedelta(hours=self.runs)
        asked = {"_id": str(self.runs), "purpose": purpose, "due_at": at, "requested_at": at, "schedule": self.stored}
        change = after(self.stored, asked, self._ended(outcome), None, fates)
        self.stored |= change.changes
        self.told += [each.occasion for each in change.notices]
        return went_by

    def _ended(self, outcome: str) -> Document:
        if outcome == "failed":
            return failed("It broke.", NOW)
        return succeeded(Done(f"s-{self.runs}", {"skipped": "why"} if outcome == "skipped" else {}), NOW)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([({}, "put"), ({"1": ARRIVED}, "put")], (None, "1", 0)),
        ([({}, "put"), ({"1": WAITING}, "put"), ({"1": WAITING, "2": WAITING}, "put")], (None, "1", "2", 0)),
        ([({}, "put"), ({"1": FAILED}, "put")], (None, None, 1)),
        ([({}, "put"), ({"1": CANCELLED}, "put")], (None, None, 0)),
        ([({}, "put"), ({"1": ARRIVED}, "put"), ({"1": ARRIVED, "2": FAILED}, "skipped")], (None, "1", "1", 1)),
        ([({}, "put"), ({"1": WAITING}, "skipped"), ({"1": FAILED}, "put")], (None, "1", None, 1)),
        ([({}, "put"), ({"1": FAILED}, "put"), ({"2": ARRIVED}, "put")], (None, None, "2", 0)),
        ([({}, "put"), ({"1": FAILED}, "failed")], (None, None, 2)),
        ([({}, "put"), ({"1": FAILED}, "put"), ({"2": OUTAGE}, "put")], (None, None, None, 1)),
        ([({}, "put"), ({"1": OUTAGE}, "failed"), ({}, "put")], (None, None, None, 0)),
        (
            [({}, "put"), ({"1": WAITING}, "put"), ({"1": WAITING, "2": FAILED}, "put"), ({"1": FAILED}, "skipped")],
            (None, "1", "1", "3", 0),
        ),
        (
            [({}, "put"), ({"1": WAITING}, "put"), ({"1": FAILED, "2": WAITING}, "put"), ({"2": FAILED}, "failed")],
            (None, "1", "2", "3", 1),
        ),
    ],
    ids=[
        "it arrived",
        "two wait",
        "nobody got it",
        "cancelled is no failure",
        "the one before is what was told",
        "a run between that sent nothing",
        "the next one arrives",
        "the next one fails by itself",
        "an outage neither counts nor begins anew",
        "what fails beside an outage counts",
        "what is older than an arrival does not matter",
        "an arrival begins the count anew",
    ],
)
def test_the_next_report_goes_by_what_reached_somebody(
    steps: list[tuple[Fates, str]], expected: tuple[Any, ...]
) -> None:
    house = House()
    assert (*(house.run(*step) for step in steps), house.stored["failures"]) == expected


def test_five_deliveries_that_fail_pause_the_schedule_and_only_that_is_told() -> None:
    """Of each failed delivery the sender has told the owner already."""
    house = House()
    for day in range(6):
        house.run({str(day): FAILED})
    assert (house.stored["state"], house.stored["failures"], house.told) == ("paused", 5, ["paused:6"])
    assert house.stored["paused_reason"] == (
        "It failed 5 times in a row; the last time: none of its mails arrived; the list of deliveries says why."
    )


def test_what_a_person_sent_counts_as_told_but_not_as_a_failure() -> None:
    house = House()
    house.run({}, purpose="now")
    assert (house.run({"1": FAILED}), house.stored["failures"]) == (None, 0)


def test_of_very_many_that_wait_the_oldest_is_kept() -> None:
    """It is the last that arrived, should all of them fail."""
    house = House()
    house.run({})
    for _ in range(MOST_BEFORE + 20):
        house.run({each: WAITING for each in runs_in(house.stored["last"]) if each != "1"})
    assert len(house.stored["last"]["before"]) == MOST_BEFORE
    assert house.run({each: FAILED for each in runs_in(house.stored["last"]) if each != "1"}) == "1"
