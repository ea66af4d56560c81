"""Pure shapes of the audit log's entries."""

from datetime import datetime
from typing import Any

import structlog

from ingest.auth.rules import Caller
from stockverify import activity
from stockverify.clients import Document
from stockverify.errors import NotFound
from stockverify.vocabulary import Action
from stockverify.wire.activity import ActivityEntry


class NoSuchEntry(NotFound):
    """The audit log has no entry {sequence}; leave out `after` to check it from its first entry."""


def entry(entry_id: str, action: Action, caller: Caller, subject: str, now: datetime, **details: Any) -> dict[str, Any]:
    """An entry that is not sealed yet. `subject` names what was done something to; `details` must hold no secret."""
    author = activity.Author(caller.user_id, caller.username, caller.device_id)
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return activity.unsealed(entry_id, action, author, subject, now, details, request_id)


def shown(stored: Document) -> ActivityEntry:
    """An entry as replies show it."""
    return ActivityEntry(
        id=stored["_id"],
        at=stored["at"].timestamp(),
        **{name: stored[name] for name in ActivityEntry.__struct_fields__ if name not in ("id", "at")},
    )
