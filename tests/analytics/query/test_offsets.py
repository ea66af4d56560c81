"""Local time from our table is local time as Python has it, in every zone."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from analytics.query.offsets import Offsets, offsets

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)
SHOWN = ("UTC", "Europe/Vienna", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca")


def looked_up(table: Offsets, at: int) -> int:
    """What both engines do."""
    if table.rule is None or at < table.rule.since:
        return next((step.ahead for step in reversed(table.steps) if step.since <= at), table.first)
    first = (EPOCH + at * MS).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    kind = first.weekday() + 7 * (first.replace(month=12, day=31).timetuple().tm_yday - 365)
    within = at - (first - EPOCH) // MS
    summer = table.rule.begins[kind] <= within < table.rule.ends[kind]
    return table.rule.summer if summer else table.rule.ahead


def wrong(name: str, instants: int) -> list[datetime]:
    """Where the table differs, among random instants and those beside each change of clocks."""
    zone, chance = ZoneInfo(name), random.Random(name)
    table = offsets(zone)
    tried = [chance.randrange(-62_100_000_000, 253_370_000_000) * 1000 for _ in range(instants)]
    tried += [chance.randrange(-5_400_000_000, 5_400_000_000) * 1000 for _ in range(instants)]
    tried += [step.since + beside for step in table.steps for beside in (-1000, 0)]
    local = {at: (EPOCH + at * MS).astimezone(zone).utcoffset() or timedelta() for at in tried}
    return [EPOCH + at * MS for at, ahead in local.items() if looked_up(table, at) != ahead // MS]


@pytest.mark.parametrize("name", SHOWN)
def test_some_zones_thoroughly(name: str) -> None:
    assert wrong(name, 2000) == []


@pytest.mark.faults
def test_every_zone() -> None:
    assert {name: found for name in sorted(available_timezones()) if (found := wrong(name, 200))} == {}


def test_tables_are_short() -> None:
    sizes = {name: (len(table.steps), table.rule is not None) for name in SHOWN if (table := offsets(ZoneInfo(name)))}
    assert sizes["UTC"] == (0, False)
    assert sizes["Asia/Kolkata"] == (7, False)
    assert all(steps < 200 for steps, _ in sizes.values())
    assert {name for name, (_, ruled) in sizes.items() if ruled} == {SHOWN[1], SHOWN[3], SHOWN[4]}
