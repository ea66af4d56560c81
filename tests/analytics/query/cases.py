"""Named queries whose generated SQL and pipelines are kept as files, to be read and to be seen changing."""

from stockverify.wire.reports import GroupBy, QuerySpec

CASES: dict[str, QuerySpec] = {
    "rows": QuerySpec(collection="sessions", sort={"started_at": -1}, limit=2),
    "filters": QuerySpec(
        collection="records",
        filters={
            "client_record_id": {"ne": "c-1"},
            "floor": None,
            "item_code": {"regex": "^0", "starts_with": "00"},
            "category": {"contains": "100% $new", "is_null": False},
            "verified_qty": {"gte": 1, "lt": 9},
            "damage_qty": {"between": [0, 3]},
            "rack_id": {"in": ["R1", None]},
            "serial_numbers": {"nin": ["SN1"], "contains": "N", "starts_with": "S"},
            "received_at": {"gt": "2026-01-31T00:00:00Z"},
            "mrp": {"exists": True},
            "uom": {"in": []},
        },
    ),
    "groups": QuerySpec(
        collection="records",
        filters={"status": "finalized"},
        group_by=["floor", "client_record_id"],
        aggregations={
            "verified_qty": ["sum", "max"],
            "round": "sum",
            "mrp": "avg",
            "item_code": ["max", "count_distinct"],
            "serial_numbers": ["count", "count_distinct"],
        },
        having={"verified_qty_sum": {"gt": 0}, "floor": {"ne": None}},
        sort={"verified_qty_sum": -1},
        limit=5,
        skip=10,
    ),
    "totals": QuerySpec(collection="items", aggregations={"book_qty": ["sum", "avg"]}),
    "calculated": QuerySpec(
        collection="records",
        calculated={
            "good": "verified_qty - damage_qty",
            "share": "damage_qty / verified_qty",
            "odd": "not (share < 0.5 and unknown_item = false) or received_at >= '2026-01-01T00:00:00Z'",
            "waited": "received_at - created_at",
        },
        filters={"odd": True, "floor": "Ground"},
        sort={"share": -1},
    ),
    "week in UTC": QuerySpec(
        collection="records",
        group_by=[GroupBy(field="received_at", by="week")],
        aggregations={"verified_qty": "sum"},
        having={"received_at_week": {"gte": "2026-01-01"}},
    ),
    "day in Vienna": QuerySpec(
        collection="records",
        group_by=["floor", GroupBy(field="received_at", by="day", zone="Europe/Vienna")],
        aggregations={"verified_qty": "sum"},
    ),
    "month in Kolkata": QuerySpec(
        collection="records",
        group_by=[GroupBy(field="received_at", by="month", zone="Asia/Kolkata")],
        aggregations={"client_record_id": "count"},
    ),
}
