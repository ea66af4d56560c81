"""Instants as people read them: in the zone of the house."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stockverify.errors import BadInput


class UnknownZone(BadInput):
    """{zone!r} is not a time zone; use an IANA name such as Europe/Vienna, or UTC (STOCKVERIFY_TIME_ZONE)."""


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises UnknownZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(zone=name[:80]) from None


def moment(value: datetime, zone: str) -> str:
    """An instant in ISO 8601 with the offset of the zone. Raises UnknownZone."""
    return value.astimezone(zone_of(zone)).isoformat()
