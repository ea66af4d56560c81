"""When a schedule is due: pure decisions about cron expressions in a time zone. The only file that imports cronsim.

All instants that come in and go out are aware UTC. At clock changes a schedule of one hour keeps to the clock on the
wall: what falls into the gap is due when the gap ends, and in the doubled hour the first of the two counts. One whose
minutes or hours begin with `*` keeps to time as it passes: no time in the gap, and two in the doubled hour.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile

from cronsim import CronSim, CronSimError

from stockverify.errors import BadInput
from stockverify.zones import zone_of

LEAST_MINUTES = 5
_LONGEST = 120


class BadCron(BadInput):
    """cron: {cron!r} is not usable: {problem}. It has five fields, minute, hour, day of month, month and day of week:
    `0 7 * * 1-5` is at seven on working days."""


def check(cron: str, zone: str) -> None:
    """Refuse what is no cron expression, never comes, or comes too often. Raises BadCron or UnknownZone."""
    zone_of(zone)
    if len(cron) > _LONGEST or len(cron.split()) != 5:
        raise BadCron(cron=cron[:_LONGEST], problem="it needs five fields")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    first = next(_forward(cron, "UTC", start), None)
    if first is None:
        raise BadCron(cron=cron, problem="it never comes")
    two_days = takewhile(lambda due: due < first + timedelta(days=2), _forward(cron, "UTC", start))
    if any(after - before < timedelta(minutes=LEAST_MINUTES) for before, after in pairwise(two_days)):
        raise BadCron(cron=cron, problem=f"its times are less than {LEAST_MINUTES} minutes apart")


def next_due(cron: str, zone: str, after: datetime) -> datetime | None:
    """The first due time later than `after`; None when there is none within 50 years. Raises what `check` raises."""
    return next(_forward(cron, zone, after), None)


def next_times(cron: str, zone: str, after: datetime, count: int = 5) -> list[datetime]:
    """The due times that follow."""
    return list(islice(_forward(cron, zone, after), count))


def latest_due(cron: str, zone: str, at: datetime) -> datetime | None:
    """The last due time up to and including `at`.

    Backwards from a clock change cronsim may miss a time, so it only gives the place from which to go forwards.
    """
    well_before = at - timedelta(hours=3)
    back = (local.astimezone(UTC) for local in _simulated(cron, zone, at, backwards=True))
    earlier = next((due for due in back if due <= well_before), None)
    times = _forward(cron, zone, well_before if earlier is None else earlier)
    return max(takewhile(lambda due: due <= at, times), default=earlier)


def _forward(cron: str, zone: str, after: datetime) -> Iterator[datetime]:
    """Due times later than `after`, strictly rising: at clock changes cronsim may name one twice, or an earlier one."""
    latest = after
    for local in _simulated(cron, zone, after):
        if (due := local.astimezone(UTC)) > latest:
            latest = due
            yield due


def _simulated(cron: str, zone: str, start: datetime, backwards: bool = False) -> CronSim:
    try:
        return CronSim(cron, start.astimezone(zone_of(zone)), reverse=backwards)
    except CronSimError as error:
        raise BadCron(cron=cron[:_LONGEST], problem=str(error)) from None
