"""What becomes of a mail after an attempt: a table of cases."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.mail.outcomes import MAX_DOUBTS, Outcome, Verdict, after, left_behind, pause
from tests.jobs.mail.conftest import NOW

ACCEPTED, REFUSED, LATER = Verdict.ACCEPTED, Verdict.REFUSED, Verdict.LATER
UNSURE, SILENCED, OUTAGE = Verdict.UNSURE, Verdict.SILENCED, Verdict.OUTAGE


def row(attempts: int = 1, doubts: int = 0, data_at: Any = None) -> dict[str, Any]:
    return {"attempts": attempts, "doubts": doubts, "data_at": data_at}


@pytest.mark.parametrize(
    ("verdict", "attempts", "doubts", "state", "again", "told"),
    [
        (ACCEPTED, 1, 0, "sent", False, False),
        (ACCEPTED, 4, 2, "sent", False, False),
        (REFUSED, 1, 0, "failed", False, True),
        (REFUSED, 2, 1, "unknown", False, True),
        (SILENCED, 1, 0, "cancelled", False, False),
        (LATER, 1, 0, "queued", True, False),
        (LATER, 11, 0, "queued", True, False),
        (LATER, 12, 0, "failed", False, True),
        (LATER, 3, 1, "unknown", True, False),
        (OUTAGE, 11, 0, "queued", True, False),
        (OUTAGE, 12, 0, "failed", False, True),
        (OUTAGE, 12, 1, "unknown", False, True),
        (LATER, 12, 1, "unknown", False, True),
        (UNSURE, 1, 0, "unknown", True, False),
        (UNSURE, 12, 1, "unknown", True, False),
        (UNSURE, 3, MAX_DOUBTS - 1, "unknown", False, True),
    ],
)
def test_what_becomes_of_a_mail(verdict, attempts: int, doubts: int, state: str, again: bool, told: bool) -> None:
    step = after(row(attempts, doubts), Outcome(verdict, "250 said so"), 12, 0.5, NOW)
    assert (str(step.state), not step.over, step.bad) == (state, again, told)
    assert step.changes["state"] == state
    assert step.changes["next_attempt_at"] == step.next_attempt_at
    assert step.next_attempt_at is None or step.next_attempt_at == NOW + pause(attempts, 0.5)
    assert step.changes.get("doubts", doubts) == doubts + (verdict is UNSURE)


def test_pauses_double_up_to_an_hour_and_are_spread_by_half() -> None:
    assert [pause(attempts, 0.5).total_seconds() for attempts in range(1, 10)] == [
        30,
        60,
        120,
        240,
        480,
        960,
        1920,
        3600,
        3600,
    ]
    assert (pause(1, 0.0).total_seconds(), pause(1, 1.0).total_seconds()) == (22.5, 37.5)
    assert pause(10_000, 0.5) == timedelta(hours=1)


def test_twelve_attempts_take_about_five_hours() -> None:
    assert sum((pause(attempts, 0.5) for attempts in range(1, 12)), timedelta()) == timedelta(seconds=18_210)


def test_a_sender_that_died_leaves_a_doubt_only_after_the_text_was_handed_over() -> None:
    assert left_behind(row()).verdict is LATER
    assert left_behind(row(data_at=NOW)).verdict is UNSURE
