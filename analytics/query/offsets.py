"""How far local time is ahead of UTC in a zone, as a table that both engines can look it up in.

Neither engine is asked: each brings its own copy of the time zone database, and in 180 of 600 zones MongoDB 6, DuckDB
and Python disagree about some instant, in Cairo and Vancouver about today (docs/decisions/0019).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = 1800, 2140
"""The database knows no change of clocks before 1800. After the last one that it names (Morocco, 2087) it has rules,
of which these years show each on all kinds of years."""
_RULED = range(2104, _LAST)
_MS = 1000


class Step(Struct, frozen=True):
    """From this instant on (milliseconds since 1970) local time is so many milliseconds ahead of UTC."""

    since: int
    ahead: int


class Rule(Struct, frozen=True):
    """From `since` on each year is alike: `summer` ahead between two moments, else `ahead`.

    The moments are in milliseconds since the year began in UTC. They depend on the kind of the year: the weekday of
    its first day, Monday is 0, and 7 more in leap years.
    """

    since: int
    ahead: int
    summer: int
    begins: tuple[int, ...]
    ends: tuple[int, ...]


class Offsets(Struct, frozen=True):
    """`first` holds before all steps (oldest first); the rule, if there is one, after them."""

    first: int
    steps: tuple[Step, ...]
    rule: Rule | None


@cache
def offsets(zone: ZoneInfo) -> Offsets:
    """The table of a zone; takes 0.2 s once."""
    begin = _year(_FIRST)
    steps = tuple(_steps(zone, begin, _year(_LAST)))
    rule = _rule(zone, steps) if steps and steps[-1].since >= _year(_LAST - 1) else None
    kept = tuple(step for step in steps if rule is None or step.since < rule.since)
    return Offsets(_ahead(zone, begin), kept, rule)


def _year(year: int) -> int:
    return round((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) / timedelta(milliseconds=1))


def _kind(year: int) -> int:
    first, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, tzinfo=UTC)
    return first.weekday() + (7 if last.timetuple().tm_yday == 366 else 0)


def _ahead(zone: ZoneInfo, at: int) -> int:
    local = datetime.fromtimestamp(at // _MS, zone).utcoffset() or timedelta()
    return (local.days * 86_400 + local.seconds) * _MS


def _steps(zone: ZoneInfo, begin: int, end: int) -> Iterator[Step]:
    """Looks once a day, and halves the day in which the clocks were changed."""
    before = _ahead(zone, begin)
    for start, stop in pairwise(range(begin, end + 1, 86_400 * _MS)):
        after = _ahead(zone, stop)
        while before != after:
            low, high = start, stop
            while high - low > _MS:
                middle = (low + high) // (2 * _MS) * _MS
                low, high = (middle, high) if _ahead(zone, middle) == before else (low, middle)
            start, before = high, _ahead(zone, high)  # noqa: PLW2901 - the rest of the day may hold another
            yield Step(high, before)


def _rule(zone: ZoneInfo, steps: tuple[Step, ...]) -> Rule:
    """What the ruled years have in common, from the earliest year on since which it holds."""
    pairs = {_kind(year): _moments(year, steps) for year in _RULED}
    (begins, ends) = zip(*(pairs[kind] for kind in range(14)), strict=True)
    start, last = _year(_RULED[0]), steps[-2:]
    rule = Rule(start, last[1].ahead, last[0].ahead, begins, ends)
    for year in range(_RULED[0], _FIRST, -1):
        if _ahead(zone, _year(year)) != rule.ahead or _moments(year, steps) != pairs[_kind(year)]:
            return Rule(_year(year + 1), rule.ahead, rule.summer, begins, ends)
    return rule


def _moments(year: int, steps: tuple[Step, ...]) -> tuple[int, ...]:
    start, end = _year(year), _year(year + 1)
    return tuple(step.since - start for step in steps if start <= step.since < end)
