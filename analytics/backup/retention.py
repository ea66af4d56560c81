"""Pure: which backups are kept, by the days and weeks of the house."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from analytics.zones import zone_of

GRACE = timedelta(days=1)
"""Whoever has made one by hand before a change wants it for a day at least."""


class Made(NamedTuple):
    """A backup and when it was made."""

    backup_id: str
    at: datetime


def surplus(made: Iterable[Made], days: int, weeks: int, zone: str, now: datetime) -> list[str]:
    """The ids of the backups that may go, oldest first. Raises UnknownZone.

    Of each of the latest `days` days that have any, and of each of the latest `weeks` such weeks, the last one stays;
    so an outage, during which none is made, removes none. The newest and all of the last day stay, too.
    """
    ordered = sorted(made, key=lambda each: (each.at, each.backup_id))
    last_of_day, last_of_week = {}, {}
    for each in ordered:
        then = each.at.astimezone(zone_of(zone))
        last_of_day[then.date()] = each.backup_id
        last_of_week[then.isocalendar()[:2]] = each.backup_id
    kept = {last_of_day[day] for day in sorted(last_of_day, reverse=True)[:days]}
    kept |= {last_of_week[week] for week in sorted(last_of_week, reverse=True)[:weeks]}
    kept |= {each.backup_id for each in ordered if each.at > now - GRACE} | {each.backup_id for each in ordered[-1:]}
    return [each.backup_id for each in ordered if each.backup_id not in kept]
