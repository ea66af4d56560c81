"""How schedules, runs and letters are shown. Pure."""

from datetime import datetime

import msgspec

from stockverify import cron
from stockverify.clients import Document
from stockverify.letters import UNSUBSCRIBE, Letter
from stockverify.vocabulary import ScheduleState
from stockverify.wire.reports import Run
from stockverify.wire.schedules import DueTime, LastRun, Schedule, ShownFile, ShownLetter
from stockverify.zones import zone_of


def as_schedule(stored: Document, now: datetime) -> Schedule:
    """A stored schedule as replies show it, with its next five times while it is active."""
    times = next_five(stored["cron"], stored["zone"], now) if stored["state"] == ScheduleState.ACTIVE else []
    shown = stored | {"schedule_id": stored["_id"], "next": times, "last": _last(stored["last"])}
    shown["report"] = _report(stored["report"])
    for name in ("created_at", "updated_at"):
        shown[name] = stored[name].timestamp()
    return msgspec.convert(shown, Schedule)


def next_five(expression: str, zone: str, now: datetime) -> list[DueTime]:
    """The next due times; none of what somebody has written into the database by hand and nobody understands."""
    try:
        found = cron.next_times(expression, zone, now)
    except cron.BadCron:
        return []
    local = zone_of(zone)
    return [DueTime(local=each.astimezone(local).isoformat(), utc=each.isoformat()) for each in found]


def _report(stored: Document | None) -> Document | None:
    if stored is None or not isinstance(stored["query"], str):
        return stored
    return stored | {"query": msgspec.json.decode(stored["query"])}


def _last(stored: Document | None) -> LastRun | None:
    if stored is None:
        return None
    return msgspec.convert(stored | {"due_at": stored["due_at"].timestamp()}, LastRun)


def as_run(stored: Document) -> Run:
    """A run as replies show it. Those of an earlier version lack what came later."""
    instants = {
        name: stored[name].timestamp() if stored.get(name) else None
        for name in ("requested_at", "started_at", "finished_at", "due_at")
    }
    begin, end = stored.get("started_at"), stored.get("finished_at")
    seconds = round((end - begin).total_seconds(), 3) if begin and end else None
    return msgspec.convert(stored | instants | {"run_id": stored["_id"], "seconds": seconds}, Run)


def as_letter(run: Document, letter: Letter, html: str) -> ShownLetter:
    """A letter with its HTML as a browser can show it."""
    return ShownLetter(
        run_id=run["_id"],
        purpose=run["purpose"],
        subject=letter.subject,
        text=letter.text.replace(UNSUBSCRIBE, "#"),
        html=html,
        attachments=[msgspec.convert(each, ShownFile, from_attributes=True) for each in letter.attachments],
        snapshot_id=letter.snapshot_id,
        as_of=letter.as_of.timestamp() if letter.as_of else None,
        late=letter.late,
    )
