"""Instants as people read them: always in the configured zone, always naming it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from analytics.glance.numbers import NOTHING


def shown(instant: datetime, zone: ZoneInfo) -> str:
    """To the second, with the zone's abbreviation at that instant, as in `5 Jan 2026, 09:30:00 CET`."""
    local = instant.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M:%S %Z}"


def moment_of(seconds: float | None, zone: ZoneInfo) -> str:
    """The same of an instant as the service tells it; a dash for none."""
    return NOTHING if seconds is None else shown(datetime.fromtimestamp(seconds, UTC), zone)


def age(span: timedelta) -> str:
    """How long ago, in the largest unit that says enough. Clocks that differ a little never give a negative age."""
    seconds = max(0, int(span.total_seconds()))
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit:
            count = seconds // unit
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now" if seconds < 10 else f"{seconds} seconds ago"
