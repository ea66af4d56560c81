"""Time zones by their IANA names."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stockverify.errors import BadInput


class UnknownZone(BadInput):
    """{zone!r} is not a time zone; use an IANA name such as Europe/Vienna, or UTC."""


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises UnknownZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(zone=name[:80]) from None
