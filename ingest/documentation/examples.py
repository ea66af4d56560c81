"""Examples of the main calls; a test decodes each with the struct that reads it."""

from typing import Any

RECORD: dict[str, Any] = {
    "client_record_id": "c-123",
    "session_id": "s-1",
    "rack_id": "R1",
    "floor": "Ground",
    "item_code": "ITEM001",
    "verified_qty": 10,
    "damage_qty": 0,
    "serial_numbers": ["SN1"],
    "status": "finalized",
    "created_at": "2026-01-05T10:00:00Z",
    "updated_at": "2026-01-05T10:00:00Z",
    "revision": 1,
}
_LINE = {"session_id": "s-1", "item_code": "ITEM001", "counted_qty": 10}
_QUERY = {
    "collection": "verification_records",
    "filters": {"floor": "Ground", "verified_qty": {"gt": 0}},
    "group_by": ["item_code"],
    "aggregations": {"verified_qty": "sum"},
    "sort": {"verified_qty_sum": -1},
    "limit": 10,
}
_BY_DAY = {
    "collection": "verification_records",
    "calculated": {"good_qty": "verified_qty - damage_qty"},
    "group_by": [{"field": "received_at", "by": "day", "zone": "Europe/Vienna"}],
    "aggregations": {"good_qty": ["sum", "avg"], "item_code": "count_distinct"},
    "having": {"good_qty_sum": {"gt": 0}},
    "sort": {"received_at_day": -1},
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "auth.login": {"password": {"username": "anna", "password": "the-password"}},
    "auth.refresh": {"token": {"refresh_token": "what-the-login-gave"}},
    "racks.claim": {
        "claim": {"floor": "Ground"},
        "another device of the same person": {"floor": "Ground", "take_over": True},
    },
    "racks.force_release": {"reason": {"reason": "The counter went home and took the device along."}},
    "racks.reverify": {"reason": {"reason": "Two counts of one item differ by a pallet."}},
    "flags.dismiss": {"note": {"note": "A pallet that was moved to the dock."}},
    "flags.recount": {
        "all racks of the flag": {"reason": "The count looks like a typo."},
        "one of them": {"reason": "The count looks like a typo.", "rack_ids": ["R1"]},
    },
    "sessions.open": {"without a rack": {"warehouse": "North", "type": "STANDARD"}},
    "sync.batch": {
        "records": {"records": [RECORD], "batch_id": "b-789"},
        "operations of older devices": {
            "operations": [
                {"id": "o-1", "type": "session", "data": {"session_id": "s-1", "warehouse": "North"}},
                {"id": "o-2", "type": "count_line", "data": _LINE, "timestamp": "2026-01-05T10:00:00Z"},
            ],
            "batch_id": "b-790",
        },
    },
    "queries.save": {"query": {"name": "Largest counts", "query_spec": _QUERY, "tags": ["weekly"]}},
    "reports.preview": {
        "the ten largest counts": _QUERY,
        "on a snapshot": _QUERY | {"snapshot_id": "latest"},
        "units by day": _BY_DAY,
    },
    "reports.create_snapshot": {"report": {"name": "Ground floor", "query_spec": _QUERY, "tags": ["weekly"]}},
    "reports.compare": {
        "two": {"snapshot_a_id": "rs-0123456789abcdef", "snapshot_b_id": "rs-fedcba9876543210"},
        "two, leaving small steps out": {
            "snapshot_a_id": "previous",
            "snapshot_b_id": "latest",
            "dataset": "positions",
            "tolerances": {"verified_qty": {"absolute": 1}, "variance_value": {"relative": 0.02}},
            "ignore": ["counted_by", "counted_at", "round", "item_name"],
        },
    },
}
