"""The statement and the pipeline of one query that uses everything, whole."""

from datetime import UTC, datetime

import pytest

from analytics.query import checked
from analytics.query.pipeline import OnlyInSnapshots, pipeline
from analytics.query.sql import compiled
from stockverify.wire.reports import QuerySpec

EVERYTHING = QuerySpec(
    collection="verification_records",
    filters={
        "client_record_id": {"ne": "c-1"},
        "floor": None,
        "item_code": {"regex": "^0"},
        "verified_qty": {"gte": 1, "lt": 9},
        "rack_id": {"in": ["R1", None]},
        "serial_numbers": {"nin": ["SN1"]},
        "received_at": {"gt": "2026-01-31T00:00:00Z"},
        "mrp": {"exists": True},
        "uom": {"in": []},
    },
    group_by=["floor", "client_record_id"],
    aggregations={"verified_qty": "sum", "round": "sum", "mrp": "avg", "item_code": "max", "serial_numbers": "count"},
    sort={"verified_qty_sum": -1},
    limit=5,
    skip=10,
)
SQL = """\
WITH source AS (
  SELECT
    *
  FROM READ_PARQUET($files)
)
SELECT
  "floor",
  "client_record_id",
  COALESCE(FSUM("verified_qty"), 0) AS "verified_qty_sum",
  COALESCE(CAST(SUM("round") AS BIGINT), 0) AS "round_sum",
  FAVG("mrp") AS "mrp_avg",
  MAX("item_code") AS "item_code_max",
  COUNT("serial_numbers") AS "serial_numbers_count"
FROM source
WHERE
"""
PIPELINE = [
    {
        "$match": {
            "$and": [
                {"_id": {"$ne": "c-1"}},
                {"floor": {"$eq": None}},
                {"item_code": {"$regex": "^0", "$options": "i"}},
                {"verified_qty": {"$gte": 1.0}},
                {"verified_qty": {"$lt": 9.0}},
                {"rack_id": {"$in": ["R1", None]}},
                {"serial_numbers": {"$nin": ["SN1"]}},
                {"received_at": {"$gt": datetime(2026, 1, 31, tzinfo=UTC)}},
                {"mrp": {"$ne": None}},
                {"uom": {"$in": []}},
            ]
        }
    },
    {
        "$group": {
            "_id": {"floor": {"$ifNull": ["$floor", None]}, "client_record_id": {"$ifNull": ["$_id", None]}},
            "verified_qty_sum": {"$sum": "$verified_qty"},
            "round_sum": {"$sum": "$round"},
            "mrp_avg": {"$avg": "$mrp"},
            "item_code_max": {"$max": "$item_code"},
            "serial_numbers_count": {
                "$sum": {"$cond": [{"$eq": [{"$ifNull": ["$serial_numbers", None]}, None]}, 0, 1]}
            },
        }
    },
    {"$sort": {"verified_qty_sum": -1, "_id.floor": 1, "_id.client_record_id": 1}},
    {"$skip": 10},
    {"$limit": 5},
]


def test_the_pipeline() -> None:
    assert pipeline(checked(EVERYTHING)) == PIPELINE


def test_the_statement_binds_every_value() -> None:
    found = compiled(checked(EVERYTHING))
    assert found.text.startswith(SQL)
    assert found.text.endswith(
        'GROUP BY\n  "floor",\n  "client_record_id"\nORDER BY\n  "verified_qty_sum" DESC,\n'
        '  "floor" ASC NULLS FIRST,\n  "client_record_id" ASC NULLS FIRST\nLIMIT 5\nOFFSET 10'
    )
    assert list(found.parameters.values()) == [
        "c-1",
        "^0",
        1.0,
        9.0,
        "R1",
        "SN1",
        datetime(2026, 1, 31, tzinfo=UTC),
    ]
    assert not any(value in found.text for value in ("c-1", "SN1", "R1"))


def test_rows_without_groups_are_projected_to_the_declared_columns() -> None:
    stages = pipeline(checked(QuerySpec(collection="sessions", limit=2)))
    assert stages[:2] == [{"$sort": {"_id": 1}}, {"$limit": 2}]
    assert stages[2]["$project"]["session_id"] == {"$ifNull": ["$_id", None]}
    assert stages[2]["$project"]["_id"] == 0


def test_positions_exist_in_snapshots_only() -> None:
    with pytest.raises(OnlyInSnapshots, match="positions is derived when a snapshot is taken"):
        pipeline(checked(QuerySpec(collection="positions")))
