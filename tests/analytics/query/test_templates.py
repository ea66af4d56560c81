"""Report templates give what they promise, on both engines where both have the data."""

from datetime import timedelta
from typing import Any

import pytest

from analytics.lake import Lake
from analytics.query import checked, run, run_live
from analytics.query.templates import templates
from stockverify.datasets import POSITIONS
from tests.analytics.conftest import Store, Take
from tests.analytics.stock import NOW, item, record, session

TEMPLATES = {template.name: template for template in templates("Europe/Vienna")}
EXPECTED: dict[str, list[dict[str, Any]]] = {
    "items_by_floor": [
        {
            "_id": "Ground",
            "item_code_count": 3,
            "item_code_count_distinct": 2,
            "book_qty_sum": 9.0,
            "verified_qty_sum": 7.0,
        }
    ],
    "rack_summary": [
        {
            "_id": {"floor": "Ground", "rack_id": "R1"},
            "item_code_count": 2,
            "verified_qty_count": 2,
            "verified_qty_sum": 7.0,
            "book_qty_sum": 7.0,
            "variance_qty_sum": 0.0,
            "variance_value_sum": 0.0,
        },
        {
            "_id": {"floor": "Ground", "rack_id": "R2"},
            "item_code_count": 1,
            "verified_qty_count": 0,
            "verified_qty_sum": 0.0,
            "book_qty_sum": 2.0,
            "variance_qty_sum": 0.0,
            "variance_value_sum": 0.0,
        },
    ],
    "session_performance": [
        {
            "_id": "ann",
            "session_id_count": 1,
            "rack_id_count_distinct": 1,
            "minutes_avg": 1.5,
            "minutes_max": 1.5,
            "minutes_sum": 1.5,
        }
    ],
    "daily_verification": [
        {
            "_id": day,
            "client_record_id_count": 1,
            "verified_qty_sum": units,
            "username_count_distinct": 1,
            "rack_id_count_distinct": 1,
        }
        for day, units in (("2026-02-01", 4.0), ("2026-01-31", 3.0))
    ],
    "variance_by_category": [
        {
            "_id": "Tools",
            "item_code_count": 2,
            "book_qty_sum": 7.0,
            "verified_qty_sum": 7.0,
            "variance_qty_sum": 0.0,
            "variance_value_sum": 0.0,
        }
    ],
    "damage_trend": [
        {
            "_id": {"received_at_week": "2026-01-26", "floor": "Ground"},
            "damage_qty_sum": 1.0,
            "damage_qty_max": 1.0,
            "verified_qty_sum": 7.0,
            "client_record_id_count": 2,
        }
    ],
    "serial_usage": [
        {"_id": "b", "serial_numbers_count_distinct": 2, "verified_qty_sum": 4.0, "client_record_id_count": 1}
    ],
    "counter_productivity": [
        {
            "_id": "ann",
            "client_record_id_count": 2,
            "verified_qty_sum": 7.0,
            "damage_qty_sum": 1.0,
            "session_id_count_distinct": 1,
            "rack_id_count_distinct": 1,
            "item_code_count_distinct": 2,
            "received_at_min": NOW,
            "received_at_max": NOW + timedelta(hours=5),
        }
    ],
}


def test_all_eight_are_there() -> None:
    assert list(TEMPLATES) == list(EXPECTED)


def test_templates_give_what_they_promise(take: Take, lake: Lake, db: Store) -> None:
    ended, later = session("s-1", "R1", completed_at=NOW + timedelta(seconds=90)), NOW + timedelta(hours=5)
    taken = take(
        erp_items=[item("R1", "a", 3), item("R1", "b", 4), item("R2", "a", 2)],
        verification_sessions=[ended, session("s-2", "R2")],
        verification_records=[
            record("c-1", "R1", "a", 3),
            record("c-2", "R1", "b", 4, damage_qty=1, serial_numbers=["x", "y", "x"], received_at=later),
            record("c-3", "R2", "a", None, status="partial"),
        ],
    )
    found = {}
    for name, template in TEMPLATES.items():
        query = checked(template.query_spec)
        found[name] = run(lake, taken.snapshot_id, query).rows()
        if query.dataset is not POSITIONS:
            assert run_live(db, query, NOW).rows() == found[name]
    assert found == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_each_says_what_it_answers(name: str) -> None:
    template = TEMPLATES[name]
    assert "?" in template.answers
    assert template.title
