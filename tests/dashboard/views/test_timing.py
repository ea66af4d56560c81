"""Choices of when, as cron expressions and back."""

from datetime import UTC, datetime, time, timedelta

import pytest

from dashboard.views.timing import STEPS, Every, Timing, cron_of, timing_of, words
from stockverify.cron import check, next_times

CHOICES = [
    (Timing(Every.DAY, time(7)), "0 7 * * *", "Every day at 07:00"),
    (Timing(Every.WORKDAYS, time(6, 45)), "45 6 * * 1-5", "Monday to Friday at 06:45"),
    (Timing(Every.WEEK, time(18), days=(1,)), "0 18 * * 1", "Monday at 18:00"),
    (Timing(Every.WEEK, time(18), days=(1, 3, 7)), "0 18 * * 1,3,7", "Monday, Wednesday and Sunday at 18:00"),
    (Timing(Every.MONTH, time(8), day=28), "0 8 28 * *", "On day 28 of each month at 08:00"),
    (Timing(Every.MONTH_END, time(18)), "0 18 L * *", "On the last day of the month at 18:00"),
    (Timing(Every.MINUTES, minutes=15), "*/15 * * * *", "Every 15 minutes"),
    (Timing(Every.MINUTES, minutes=60), "0 * * * *", "Every hour"),
    (Timing(Every.OWN, cron="*/15 6-22 * * *"), "*/15 6-22 * * *", "*/15 6-22 * * *"),
]


@pytest.mark.parametrize(("timing", "cron", "said"), CHOICES)
def test_a_choice_is_an_expression_and_comes_back(timing: Timing, cron: str, said: str) -> None:
    assert (cron_of(timing), words(cron)) == (cron, said)
    assert timing_of(cron) == timing._replace(cron=cron)
    check(cron, "Europe/Berlin")


@pytest.mark.parametrize("minutes", STEPS)
def test_every_step_may_be_saved_and_comes_at_its_distance(minutes: int) -> None:
    cron = cron_of(Timing(Every.MINUTES, minutes=minutes))
    check(cron, "UTC")
    first, second = next_times(cron, "UTC", datetime(2026, 1, 5, tzinfo=UTC), 2)
    assert second - first == timedelta(minutes=minutes)


@pytest.mark.parametrize("day", range(1, 8))
def test_weekdays_are_those_of_cron(day: int) -> None:
    (due,) = next_times(cron_of(Timing(Every.WEEK, time(7), days=(day,))), "UTC", datetime(2026, 1, 5, tzinfo=UTC), 1)
    assert due.isoweekday() == day


@pytest.mark.parametrize(
    "cron",
    [
        "0 7 31 * *",
        "0 7 1 * 1",
        "0 7 * 6 *",
        "0 7 * * MON",
        "0 7 * * 1,x",
        "*/7 * * * *",
        "99 7 * * *",
        "0 7 5#2 * *",
        "07 7 * * *",
        "nonsense",
        "0 7 * * 0",
    ],
)
def test_what_no_choice_gives_stays_as_it_was_written(cron: str) -> None:
    assert timing_of(cron) == Timing(Every.OWN, cron=cron)
    assert cron_of(timing_of(cron)) == cron
    assert words(cron) == cron


def test_an_hour_and_some_minutes_are_said_too() -> None:
    assert (words("10 * * * *"), words("75 * * * *")) == ("Every hour, 10 minutes past", "75 * * * *")


def test_spaces_do_not_count() -> None:
    assert cron_of(timing_of("  0  7 * *   1-5 ")) == "0 7 * * 1-5"
