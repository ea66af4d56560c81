"""Pure shapes of the audit log's entries."""

from datetime import datetime
from typing import Any

import msgspec
import structlog

from ingest.auth.rules import Caller
from stockverify.clients import Document
from stockverify.vocabulary import Action
from stockverify.wire.activity import ActivityEntry


def entry(entry_id: str, action: Action, caller: Caller, subject: str, now: datetime, **details: Any) -> dict[str, Any]:
    """An entry that is not sealed yet. `subject` names what was done something to; `details` must hold no secret."""
    return {
        "_id": entry_id,
        "at": now,
        "action": action.value,
        "user_id": caller.user_id,
        "username": caller.username,
        "device_id": caller.device_id,
        "subject": subject,
        "details": msgspec.to_builtins(details),
        "request_id": structlog.contextvars.get_contextvars().get("request_id"),
        "sequence": None,
        "previous": None,
        "hash": None,
    }


def shown(stored: Document) -> ActivityEntry:
    """An entry as replies show it."""
    return ActivityEntry(
        id=stored["_id"],
        at=stored["at"].timestamp(),
        **{name: stored[name] for name in ActivityEntry.__struct_fields__ if name not in ("id", "at")},
    )
