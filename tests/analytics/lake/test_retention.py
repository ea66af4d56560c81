"""Which snapshots stay, by the clock of the house; and removing one, killed at any step."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.lake import Freeze, Lake, verify
from analytics.lake.removing import remove
from analytics.lake.retention import GRACE, Policy, surplus
from analytics.lake.store import SnapshotNotFound
from analytics.lake.sweep import sweep
from tests.analytics.lake.frozen import AS_OF, ONE, TWO, freeze, positions

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
NONE = Policy(hours=0, days=0, months=0)


def taken(*moments: datetime) -> list[Freeze]:
    return [
        Freeze(snapshot_id=f"{each:%Y%m%dT%H%M%S}000Z-{n:08x}", name="", as_of=each, created_at=each, rows=0)
        for n, each in enumerate(moments)
    ]


def gone(moments: list[datetime], policy: Policy, zone: str = "UTC", now: datetime = NOW) -> list[datetime]:
    """What goes, by when it was taken."""
    freezes = taken(*moments)
    ids = surplus(freezes, policy, zone, now)
    return [freeze.created_at for freeze in freezes if freeze.snapshot_id in ids]


def test_the_newest_and_the_last_hour_stay_whatever_the_policy() -> None:
    ages = [timedelta(0), GRACE - timedelta(seconds=1), GRACE, GRACE * 2]
    assert gone([NOW - age for age in ages], NONE) == [NOW - GRACE, NOW - GRACE * 2]
    assert gone([NOW - timedelta(days=9999)], NONE) == []
    assert surplus([], NONE, "UTC", NOW) == []


def test_the_last_of_each_hour_stays() -> None:
    base = NOW - timedelta(hours=5)
    quarters = [base + timedelta(minutes=15 * number) for number in range(8)]
    assert gone([*quarters, NOW], Policy(hours=6, days=0, months=0)) == [*quarters[:3], *quarters[4:7]]
    assert gone([*quarters, NOW], Policy(hours=4, days=0, months=0)) == quarters[:7]


def test_days_begin_at_midnight_of_the_house() -> None:
    late, early = datetime(2026, 3, 27, 22, 59, tzinfo=UTC), datetime(2026, 3, 27, 23, 1, tzinfo=UTC)
    policy = Policy(hours=0, days=9, months=0)
    assert gone([late, early, NOW], policy, "UTC") == [late]
    assert gone([late, early, NOW], policy, "Europe/Vienna") == []
    assert gone([late, early, NOW], Policy(hours=0, days=2, months=0), "Europe/Vienna") == [late]


def test_the_last_of_each_month_stays() -> None:
    months = [
        datetime(2025, 12, 31, 12, tzinfo=UTC),
        datetime(2026, 1, 30, tzinfo=UTC),
        datetime(2026, 1, 31, tzinfo=UTC),
    ]
    assert gone([*months, NOW], Policy(hours=0, days=0, months=4)) == [months[1]]
    assert gone([*months, NOW], Policy(hours=0, days=0, months=3)) == months[:2]


def test_an_hour_that_comes_twice_is_two_hours() -> None:
    twice = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    after = datetime(2026, 10, 25, 12, tzinfo=UTC)
    assert gone([*twice, after], Policy(hours=48, days=0, months=0), "Europe/Vienna", after) == []


@given(
    ages=st.lists(st.integers(0, 60 * 24 * 900), max_size=60),
    hours=st.integers(0, 60),
    days=st.integers(0, 40),
    months=st.integers(0, 30),
    zone=st.sampled_from(["UTC", "Europe/Vienna", "Asia/Kathmandu", "America/St_Johns"]),
    picked=st.sets(st.integers(0, 59)),
)
def test_what_stays_is_enough(ages: list[int], hours: int, days: int, months: int, zone: str, picked: set[int]) -> None:
    freezes = taken(*(NOW - timedelta(minutes=age) for age in ages))
    needed = {freeze.snapshot_id for number, freeze in enumerate(freezes) if number in picked}
    policy = Policy(hours=hours, days=days, months=months)
    going = set(surplus(freezes, policy, zone, NOW, needed))
    left = [freeze for freeze in freezes if freeze.snapshot_id not in going]
    assert not going & needed
    assert surplus(left, policy, zone, NOW, needed) == [], "doing it again removes nothing more"
    assert not freezes or max(freezes, key=lambda freeze: freeze.snapshot_id) in left
    for young in (each for each in freezes if each.created_at > NOW - timedelta(hours=hours)):
        assert any(abs(each.created_at - young.created_at) < timedelta(hours=1) for each in left)


def test_a_removed_snapshot_is_not_found_and_the_others_are_whole(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    freeze(tmp_path, TWO)
    lake = Lake(tmp_path)
    with lake.files("positions", ONE)[0].open("rb") as held:
        remove(tmp_path, ONE)
        assert held.read(4) == b"PAR1"
    for reader in (lake, Lake(tmp_path)):
        with pytest.raises(SnapshotNotFound):
            reader.files("records", ONE)
        assert [found.snapshot_id for found in reader.freezes()] == [TWO]
    assert (verify(tmp_path), len(positions(lake, TWO))) == ([], 1)
    remove(tmp_path, ONE)
    assert list(tmp_path.rglob(f"*{ONE}*")) == []


def test_removing_killed_at_any_step_leaves_it_whole_or_gone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.analytics.lake.frozen", str(tmp_path), "remove"]
    steps = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert steps > 10
    seen = []
    for step in range(steps + 1):
        lake = Lake(tmp_path / str(step))
        found = [each.snapshot_id for each in lake.freezes()]
        assert found in ([ONE], []), step
        assert verify(lake.root) == []
        seen.append(len(found))
        assert [len(positions(lake, each)) for each in found] == [1] * len(found)
        remove(lake.root, ONE)
        sweep(lake.root, AS_OF + timedelta(days=9999))
        assert [path for path in lake.root.rglob("*") if path.is_file()] == []
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {0, 1}
