"""Pure decisions about silence: which racks nobody alive holds, and which sessions nobody goes on with."""

from datetime import datetime, timedelta

from stockverify.clients import Document
from stockverify.settings import Settings
from stockverify.vocabulary import FINISHED_SESSIONS, SessionStatus

SWEPT_SESSIONS = (SessionStatus.OPEN, SessionStatus.ACTIVE, SessionStatus.PAUSED)
"""A session in `reconcile` waits for a person, who may take days."""

NO_SESSION = "its session is not known"
ENDED = "its session has ended"
OVERTAKEN = "its session is of an earlier claim"
SILENT = "nothing was heard of it since {since:%Y-%m-%d %H:%M} UTC"


def silent_before(settings: Settings, now: datetime) -> datetime:
    """Whoever was heard from after this is at work, or on a break: silence must last far longer than any lease."""
    longest_lease = max(settings.rack_lock_ttl, settings.session_lock_ttl)
    return now - timedelta(seconds=max(settings.stale_after, 2 * longest_lease))


def heard(session: Document, last_record: datetime | None = None) -> datetime:
    """When a session gave its last sign of life: a heartbeat, a record, or its start."""
    signs = (session["started_at"], session["last_heartbeat"], last_record)
    return max(sign for sign in signs if sign is not None)


def why_abandoned(rack: Document, session: Document | None, before: datetime) -> str | None:
    """Why an occupied rack has nobody alive, or None. `before` is the limit of `silent_before`."""
    if rack["updated_at"] >= before:
        return None
    if session is None:
        return NO_SESSION
    if session["status"] in FINISHED_SESSIONS:
        return ENDED
    if session["fence"] != rack["fence"]:
        return OVERTAKEN
    return why_silent(session, before)


def holds(rack: Document, session: Document) -> bool:
    """Whether the session that a rack names is that of its latest claim, and goes on."""
    return session["fence"] == rack["fence"] and session["status"] not in FINISHED_SESSIONS


def why_silent(session: Document, before: datetime, last_record: datetime | None = None) -> str | None:
    """Why nobody goes on with a session, or None."""
    if session["status"] not in SWEPT_SESSIONS or (since := heard(session, last_record)) >= before:
        return None
    return SILENT.format(since=since)
