"""Which backups stay."""

from datetime import UTC, datetime, timedelta

from analytics.backup.retention import Made, surplus

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)


def going(*ages: timedelta, days: int = 7, weeks: int = 4, zone: str = "UTC") -> list[timedelta]:
    made = {f"b-{number}": age for number, age in enumerate(ages)}
    ids = surplus([Made(name, NOW - age) for name, age in made.items()], days, weeks, zone, NOW)
    return [made[name] for name in ids]


def nightly(number: int) -> list[timedelta]:
    """One at three in the morning of each day."""
    return [timedelta(days=day, hours=9) for day in range(number)]


def test_seven_days_and_four_weeks() -> None:
    """29 March 2026 is a Sunday, so that the weeks end today, a week ago, and so on."""
    stay = [*range(7), 7, 14, 21]
    assert going(*nightly(60)) == [age for age in reversed(nightly(60)) if age.days not in stay]


def test_an_outage_removes_none() -> None:
    ages = [age + timedelta(days=100) for age in nightly(7)]
    assert going(*ages) == []


def test_of_one_day_the_last_stays_and_all_of_the_last_24_hours() -> None:
    hours = [timedelta(hours=hour) for hour in (1, 2, 3, 50, 51, 52)]
    assert going(*hours) == [timedelta(hours=52), timedelta(hours=51)]


def test_the_newest_stays_whatever_is_set() -> None:
    assert going(timedelta(days=400), timedelta(days=401), days=1, weeks=0) == [timedelta(days=401)]


def test_days_are_those_of_the_house() -> None:
    """23:30 and 00:30 UTC are one day in New York, and two in London before the clocks change."""
    ages = (timedelta(days=3, hours=12, minutes=30), timedelta(days=3, hours=11, minutes=30))
    assert going(*ages, weeks=0, zone="UTC") == []
    assert going(*ages, weeks=0, zone="America/New_York") == [ages[0]]
