"""Documents as the service and the stock list import write them."""

from datetime import UTC, datetime
from typing import Any

from stockverify.clients import Document

NOW = datetime(2026, 1, 31, 18, 30, 15, 250_000, UTC)


def item(rack_id: str, item_code: str, book_qty: float, **fields: Any) -> Document:
    """A book line."""
    return {
        "floor": "Ground",
        "rack_id": rack_id,
        "bin": "",
        "item_code": item_code,
        "item_name": f"Item {item_code}",
        "barcode": None,
        "category": "Tools",
        "subcategory": "Hand",
        "uom": "EA",
        "unit_cost": 2.5,
        "mrp": 4.0,
        "book_qty": book_qty,
        "updated_at": NOW,
        **fields,
    }


def record(record_id: str, rack_id: str | None, item_code: str, verified_qty: float | None, **fields: Any) -> Document:
    """A counted line."""
    return {
        "_id": record_id,
        "session_id": "s-1",
        "rack_id": rack_id,
        "floor": "Ground",
        "bin": "",
        "round": 1,
        "item_code": item_code,
        "verified_qty": verified_qty,
        "damage_qty": 0.0,
        "serial_numbers": [],
        "mfg_date": None,
        "mrp": None,
        "uom": None,
        "category": "as sent",
        "subcategory": None,
        "item_condition": None,
        "evidence_photos": [],
        "status": "finalized",
        "unknown_item": False,
        "user_id": "u-1",
        "username": "ann",
        "device_id": "d-1",
        "created_at": NOW,
        "updated_at": NOW,
        "received_at": NOW,
        "revision": None,
        "digest": b"\x00",
        **fields,
    }


def session(session_id: str, rack_id: str | None, **fields: Any) -> Document:
    """A counter's work on a rack."""
    return {
        "_id": session_id,
        "user_id": "u-1",
        "username": "ann",
        "device_id": "d-1",
        "rack_id": rack_id,
        "floor": "Ground",
        "fence": 1,
        "round": 1,
        "status": "active",
        "started_at": NOW,
        "last_heartbeat": None,
        "completed_at": None,
        **fields,
    }
