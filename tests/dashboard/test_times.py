"""Instants in the zone of the house."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.times import age, shown
from stockverify.zones import zone_of


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "25 Oct 2026, 00:30:05 UTC"),
        ("Europe/Berlin", "25 Oct 2026, 02:30:05 CEST"),
        ("Asia/Kolkata", "25 Oct 2026, 06:00:05 IST"),
    ],
)
def test_an_instant_names_its_zone(zone: str, text: str) -> None:
    assert shown(datetime(2026, 10, 25, 0, 30, 5, tzinfo=UTC), zone_of(zone)) == text


def test_both_hours_of_the_clock_change_are_told_apart() -> None:
    zone = zone_of("Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert [shown(first + timedelta(hours=hour), zone)[-4:].strip() for hour in (0, 1)] == ["CEST", "CET"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "just now"),
        (9, "just now"),
        (59, "59 seconds ago"),
        (60, "1 minute ago"),
        (7199, "1 hour ago"),
        (7200, "2 hours ago"),
        (86400 * 3 + 5, "3 days ago"),
    ],
)
def test_age(seconds: int, text: str) -> None:
    assert age(timedelta(seconds=seconds)) == text
