"""Pure: which snapshots are kept, by age, in the zone of the house."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from analytics.lake.manifest import Freeze
from analytics.zones import zone_of

GRACE = timedelta(hours=1)
"""Whoever has just asked for a snapshot may still be about to use it."""


class Policy(Struct, frozen=True, kw_only=True):
    """For so many hours the last snapshot of each hour is kept, for so many days the last of each day, for so many
    months the last of each month; the present hour, day and month count."""

    hours: int
    days: int
    months: int


def surplus(
    freezes: Collection[Freeze], policy: Policy, zone: str, now: datetime, needed: Collection[str] = ()
) -> list[str]:
    """The ids of the snapshots that may go, oldest first. `needed` are ids that something refers to.

    The newest stays, and so does all of the last hour. Raises UnknownZone.
    """
    newest = max((freeze.snapshot_id for freeze in freezes), default=None)
    kept = {newest, *needed, *_last_of_each(freezes, policy, zone, now)}
    young = {freeze.snapshot_id for freeze in freezes if freeze.created_at > now - GRACE}
    return sorted({freeze.snapshot_id for freeze in freezes} - kept - young)


def _last_of_each(freezes: Collection[Freeze], policy: Policy, zone: str, now: datetime) -> Iterator[str]:
    last: dict[tuple[int, ...], str] = {}
    for freeze in sorted(freezes, key=lambda each: (each.created_at, each.snapshot_id)):
        for span in _spans(freeze.created_at, policy, zone, now):
            last[span] = freeze.snapshot_id
    yield from last.values()


def _spans(made: datetime, policy: Policy, zone: str, now: datetime) -> Iterator[tuple[int, ...]]:
    """The hour, the day and the month of an instant, those that are young enough. An hour that comes twice, when clocks
    go back, is two hours."""
    then, today = made.astimezone(zone_of(zone)), now.astimezone(zone_of(zone))
    if made > now - timedelta(hours=policy.hours):
        yield (1, then.toordinal(), then.hour, then.fold)
    if (today.date() - then.date()).days < policy.days:
        yield (2, then.toordinal())
    if (today.year - then.year) * 12 + today.month - then.month < policy.months:
        yield (3, then.year, then.month)
