"""Instants as people read them: in the zone of the house."""

from datetime import datetime

from stockverify.zones import UnknownZone, zone_of

__all__ = ["UnknownZone", "moment", "zone_of"]


def moment(value: datetime, zone: str) -> str:
    """An instant in ISO 8601 with the offset of the zone. Raises UnknownZone."""
    return value.astimezone(zone_of(zone)).isoformat()
