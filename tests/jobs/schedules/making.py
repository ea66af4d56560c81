"""Schedules for tests."""

from datetime import datetime
from typing import Any

from stockverify.clients import Document
from stockverify.cron import next_due


def schedule(schedule_id: str, now: datetime, **changes: Any) -> Document:
    """An active schedule of somebody, made at `now`."""
    made: Document = {
        "_id": schedule_id,
        "name": f"name of {schedule_id}",
        "kind": "report",
        "report": {"subject": "summary", "ref": None, "query": None, "params": {}, "columns": None},
        "formats": ["html"],
        "recipients": ["a@shop.example"],
        "unsubscribed": [],
        "condition": {"kind": "always", "figure": None, "op": None, "limit": None},
        "max_attachment_bytes": 10**7,
        "cron": "0 7 * * *",
        "zone": "UTC",
        "state": "active",
        "paused_reason": None,
        "failures": 0,
        "owner_id": "u-ann",
        "owner": "ann",
        "note": "",
        "created_at": now,
        "updated_at": now,
        "revision": 1,
        "last": None,
        "builtin": False,
    } | changes
    return {"next_due_at": next_due(made["cron"], made["zone"], now)} | made


def person(user_id: str = "u-ann", **changes: Any) -> Document:
    """A user as far as jobs look at one."""
    return {"_id": user_id, "username": user_id[2:], "role": "supervisor", "is_active": True} | changes
