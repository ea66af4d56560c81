"""Pure decisions about schedules: whose turn it is."""

from datetime import datetime
from typing import NamedTuple

from stockverify.clients import Document
from stockverify.cron import latest_due, next_due


class Turn(NamedTuple):
    """The due time that a schedule has reached, whether it stands for earlier ones too, and the due time after it."""

    due_at: datetime
    caught_up: bool
    next_due_at: datetime | None


def turn(schedule: Document, now: datetime) -> Turn | None:
    """What is due of a schedule; None before its time. Of the due times that an outage missed it is the latest alone.

    Raises BadCron or UnknownZone when somebody has written nonsense into the database.
    """
    first, cron, zone = schedule["next_due_at"], schedule["cron"], schedule["zone"]
    if first is None or first > now:
        return None
    due_at = max(first, latest_due(cron, zone, now) or first)
    return Turn(due_at, due_at > first, next_due(cron, zone, now))
