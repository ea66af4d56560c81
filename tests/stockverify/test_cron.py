"""Due times over both clock changes of Europe/Berlin, in a zone at +05:30, and of nonsense."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockverify.cron import BadCron, check, latest_due, next_due, next_times
from stockverify.errors import BadInput
from stockverify.zones import UnknownZone

BERLIN, KOLKATA = "Europe/Berlin", "Asia/Kolkata"
SPRING = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
"""Half past midnight before the clocks go from 2 to 3."""
AUTUMN = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
"""Half past midnight before the clocks go from 3 back to 2."""


def utc(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "start", "expected"),
    [
        ("30 2 * * *", BERLIN, SPRING, ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("0,30 2 * * *", BERLIN, SPRING, ["2026-03-29T01:00", "2026-03-30T00:00"]),
        ("0 2,3 * * *", BERLIN, SPRING, ["2026-03-29T01:00", "2026-03-30T00:00", "2026-03-30T01:00"]),
        ("0 7 * * *", BERLIN, SPRING, ["2026-03-29T05:00", "2026-03-30T05:00"]),
        ("30 * * * *", BERLIN, SPRING, ["2026-03-29T00:30", "2026-03-29T01:30"]),
        ("30 2 * * *", BERLIN, AUTUMN, ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("30 * * * *", BERLIN, AUTUMN, ["2026-10-24T23:30", "2026-10-25T00:30", "2026-10-25T01:30"]),
        ("0 7 * * *", BERLIN, AUTUMN, ["2026-10-25T06:00", "2026-10-26T06:00"]),
        ("30 2 * * *", KOLKATA, SPRING, ["2026-03-29T21:00", "2026-03-30T21:00"]),
        ("0 0 * * *", KOLKATA, AUTUMN, ["2026-10-25T18:30", "2026-10-26T18:30"]),
        ("0 7 * * 1", "UTC", SPRING, ["2026-03-30T07:00", "2026-04-06T07:00"]),
        ("0 7 31 * *", "UTC", SPRING, ["2026-03-31T07:00", "2026-05-31T07:00"]),
        ("0 7 29 2 *", "UTC", SPRING, ["2028-02-29T07:00"]),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_next_times(cron: str, zone: str, start: datetime, expected: list[str]) -> None:
    assert next_times(cron, zone, start, len(expected)) == [utc(each) for each in expected]


@pytest.mark.parametrize("cron", ["30 2 * * *", "0,30 2 * * *", "0 2,3 * * *", "*/5 * * * *", "15 1-3 * * 0"])
@pytest.mark.parametrize("zone", [BERLIN, KOLKATA, "America/New_York", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_from_every_minute_of_a_change_the_answers_agree(cron: str, zone: str, change: datetime) -> None:
    """Wherever one begins to ask, the due times are the same ones: none is skipped, none named twice."""
    begin = change - timedelta(hours=12)
    every = next_times(cron, zone, begin - timedelta(days=8), 4000 if cron.startswith("*/5") else 60)
    assert all(before < after for before, after in pairwise(every))
    for minute in range(0, 36 * 60, 7):
        now = begin + timedelta(minutes=minute)
        assert next_due(cron, zone, now) == next(due for due in every if due > now)
        assert latest_due(cron, zone, now) == max(due for due in every if due <= now)


def test_a_due_time_is_its_own_latest_and_not_its_own_next() -> None:
    due = utc("2026-10-25T06:00")
    assert latest_due("0 7 * * *", BERLIN, due) == due
    assert latest_due("0 7 * * *", BERLIN, due - timedelta(microseconds=1)) == due - timedelta(days=1, hours=1)
    assert next_due("0 7 * * *", BERLIN, due) == due + timedelta(days=1)


@pytest.mark.parametrize(
    ("cron", "problem"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("0 0 7 * * *", "five fields"),
        ("@daily", "five fields"),
        ("0 24 * * *", "Bad hour"),
        ("0 7 * * 9", "Bad day-of-week"),
        ("0 0 30 2 *", "Bad day-of-month"),
        ("0 7 */20 * 1#5,2#1", None),
        ("*/4 * * * *", "5 minutes"),
        ("*/7 * * * *", "5 minutes"),
        ("58 23 * * *", None),
        ("0,4 7 * * *", "5 minutes"),
        ("0,5 7 * * *", None),
        ("1,2," * 40 + "3 * * * *", "five fields"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_can_be_a_schedule(cron: str, problem: str | None) -> None:
    if problem is None:
        check(cron, "UTC")
        return
    with pytest.raises(BadCron, match=problem):
        check(cron, "UTC")


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../../etc/passwd", "Europe/Berlin\n", "a" * 5000])
def test_what_is_no_zone(zone: str) -> None:
    with pytest.raises(UnknownZone):
        check("0 7 * * *", zone)


@settings(max_examples=300, deadline=None)
@given(st.text("0123456789*/,-#LWMONAPR ", max_size=40))
def test_whatever_is_typed_is_taken_or_refused(text: str) -> None:
    try:
        check(text, BERLIN)
    except BadInput:
        return
    assert next_due(text, BERLIN, SPRING) is not None
