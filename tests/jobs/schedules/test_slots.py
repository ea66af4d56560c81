from datetime import UTC, datetime, timedelta

import pytest

from analytics.lake.manifest import Manifest
from jobs.schedules.slots import crowded_run, due, interval_run, slot

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
QUARTER = 900


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        (NOON, None, NOON),
        (NOON + timedelta(minutes=14, seconds=59), None, NOON),
        (NOON + timedelta(minutes=14, seconds=59), NOON, None),
        (NOON + timedelta(minutes=15), NOON, NOON + timedelta(minutes=15)),
        (NOON + timedelta(hours=5, minutes=1), NOON, NOON + timedelta(hours=5)),
        (NOON - timedelta(hours=1), NOON, None),
    ],
    ids=["first", "first, late in the slot", "taken", "next", "after an outage only the current one", "clock set back"],
)
def test_which_slot_is_due(now: datetime, last: datetime | None, expected: datetime | None) -> None:
    assert due(now, QUARTER, last) == expected


def test_slots_follow_each_other_without_gaps() -> None:
    for seconds in range(20):
        now = NOON + timedelta(seconds=seconds)
        assert slot(now, 7) <= now < slot(now, 7) + timedelta(seconds=7)
        assert slot(slot(now, 7) + timedelta(seconds=7), 7) == slot(now, 7) + timedelta(seconds=7)


def test_the_run_of_a_slot_has_an_id_of_its_own() -> None:
    run = interval_run(NOON, QUARTER, NOON + timedelta(seconds=3))
    shown = {name: run[name] for name in ("_id", "kind", "status", "requested_by", "requested_at", "schedule_id")}
    assert shown == {
        "_id": "every-900s-20260131T120000Z",
        "kind": "materialise",
        "status": "queued",
        "requested_by": "schedule",
        "requested_at": NOON + timedelta(seconds=3),
        "schedule_id": None,
    }


@pytest.mark.parametrize(
    ("stored", "age", "is_due"),
    [(102, 3600, False), (103, 3600, True), (103, 59, False), (103, 60, True), (9999, 0, False), (103, -3600, True)],
    ids=["too few", "enough", "too soon", "soon enough", "a wrong count at once", "a clock that was set back"],
)
def test_many_records_bring_a_snapshot_a_minute_at_most(stored: int, age: int, is_due: bool) -> None:
    latest = Manifest(
        dataset="records",
        snapshot_id="20260131T110000000Z-0a1b2c3d",
        name="",
        as_of=NOON,
        created_at=NOON - timedelta(seconds=age),
        schema_version=1,
        columns=(),
        rows=100,
        files=(),
        query={},
    )
    run = crowded_run(latest, stored, 3, NOON)
    assert (run and run["_id"]) == ("after-3-records-on-20260131T110000000Z-0a1b2c3d" if is_due else None)
