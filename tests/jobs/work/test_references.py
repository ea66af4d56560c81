"""Retention leaves whatever schedules, runs under way and recent mails need."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from analytics.extract import materialise
from analytics.lake import Lake
from analytics.lake.references import DELIVERED_FOR, references
from analytics.lake.retention import Policy
from jobs.work.retention import retain
from stockverify import indexes
from stockverify.clients import Document
from tests.analytics.stock import item

Store = Database[Document]
NOW = datetime(2026, 6, 1, 7, tzinfo=UTC)
OLD, RECENT = NOW - DELIVERED_FOR - timedelta(seconds=1), NOW - DELIVERED_FOR + timedelta(seconds=1)
NONE = Policy(hours=0, days=0, months=0)
ONE, TWO = "20260101T000000000Z-00000001", "20260101T000000000Z-00000002"


@pytest.mark.parametrize(
    ("collection", "document", "needed"),
    [
        ("report_schedules", {"report": {"subject": "snapshot", "ref": ONE}}, {ONE}),
        (
            "report_schedules",
            {"last": {"snapshot_id": ONE, "delivered_snapshot_id": TWO}},
            {ONE, TWO},
        ),
        ("report_schedules", {"last": None, "report": {"ref": "latest"}}, set()),
        ("report_runs", {"status": "running", "snapshot_id": ONE}, {ONE}),
        ("report_runs", {"status": "queued", "schedule": {"last": {"delivered_snapshot_id": ONE}}}, {ONE}),
        ("report_runs", {"status": "succeeded", "snapshot_id": ONE}, set()),
        ("report_runs", {"status": "failed", "snapshot_id": ONE}, set()),
        ("report_deliveries", {"state": "sent", "snapshot_id": ONE, "created_at": RECENT}, {ONE}),
        ("report_deliveries", {"state": "sent", "snapshot_id": ONE, "created_at": OLD}, set()),
        ("report_deliveries", {"state": "failed", "snapshot_id": None, "created_at": RECENT}, set()),
        ("report_pins", {"_id": ONE}, {ONE}),
        ("report_compare_jobs", {"baseline_id": ONE, "current_id": TWO}, {ONE, TWO}),
        ("report_compare_jobs", {"comparison_result": {"rows": [ONE]}}, set()),
        ("anomaly_flags", {"last_snapshot_id": ONE}, set()),
    ],
)
def test_what_is_needed(db: Store, collection: str, document: dict[str, Any], needed: set[str]) -> None:
    db[collection].insert_one(document)
    assert references(db, NOW) == needed


def test_each_question_is_served_by_an_index(db: Store) -> None:
    indexes.ensure_blocking(db)
    db["report_runs"].insert_many({"status": "succeeded", "requested_at": NOW} for _ in range(50))
    db["report_deliveries"].insert_many({"created_at": NOW - timedelta(days=400)} for _ in range(50))
    for name, wanted in (
        ("report_runs", {"status": {"$in": ["queued", "running"]}}),
        ("report_deliveries", {"created_at": {"$gt": RECENT}}),
    ):
        plan = db[name].find(wanted).explain()
        assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"]), name


def test_retention_never_removes_what_a_schedules_last_delivery_needs(db: Store, lake: Lake) -> None:
    """The next report compares with it, however long ago it was and whatever has become of the schedule."""
    db["erp_items"].insert_one(item("R1", "a", 1))
    long_ago = NOW - timedelta(days=400)
    taken = [materialise(lake, db, long_ago + timedelta(days=number)).snapshot_id for number in range(5)]
    last = {"run_id": "r", "status": "succeeded", "snapshot_id": taken[2], "delivered_snapshot_id": taken[1]}
    db["report_schedules"].insert_one({"_id": "sch-1", "state": "paused", "last": last})
    assert retain(lake, db, NONE, "UTC", NOW) == [taken[0], taken[3]]
    assert sorted(lake.ids()) == [taken[1], taken[2], taken[4]]
    db["report_schedules"].update_one({}, {"$set": {"last.delivered_snapshot_id": taken[2]}})
    assert retain(lake, db, NONE, "UTC", NOW) == [taken[1]]
