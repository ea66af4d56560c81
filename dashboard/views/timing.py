"""When a schedule is due: choices that need no cron, and words; both ways, so that what was saved is shown again."""

import re
from datetime import time
from enum import StrEnum
from typing import NamedTuple

from stockverify.cron import LEAST_MINUTES

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""By their numbers in cron, from 1 on."""
LAST_SURE_DAY = 28
"""Every month has a 28th; later days need a cron expression or the last day of the month."""
STEPS = (LEAST_MINUTES, 10, 15, 20, 30, 60)

_TIME = re.compile(r"(\d{1,2}) (\d{1,2}) (\S+) \* (\S+)")
_STEP = re.compile(r"\*/(\d{1,2}) \* \* \* \*")
_PAST = re.compile(r"([1-5]?\d) \* \* \* \*")
_HOURLY = "0 * * * *"


class Every(StrEnum):
    """How often, as people choose it."""

    DAY = "Every day"
    WORKDAYS = "Monday to Friday"
    WEEK = "On days of the week"
    MONTH = "On a day of the month"
    MONTH_END = "On the last day of the month"
    MINUTES = "Again and again"
    OWN = "By a cron expression"


class Timing(NamedTuple):
    """A choice with what goes with it; each kind uses what it needs of the rest."""

    every: Every
    at: time = time(7)
    days: tuple[int, ...] = (1,)
    day: int = 1
    minutes: int = 60
    cron: str = "0 7 * * *"


def cron_of(timing: Timing) -> str:
    """The cron expression of a choice."""
    when = f"{timing.at.minute} {timing.at.hour}"
    match timing.every:
        case Every.DAY:
            return f"{when} * * *"
        case Every.WORKDAYS:
            return f"{when} * * 1-5"
        case Every.WEEK:
            return f"{when} * * {','.join(map(str, sorted(timing.days)))}"
        case Every.MONTH:
            return f"{when} {timing.day} * *"
        case Every.MONTH_END:
            return f"{when} L * *"
        case Every.MINUTES:
            return _HOURLY if timing.minutes == 60 else f"*/{timing.minutes} * * * *"
    return " ".join(timing.cron.split())


def timing_of(cron: str) -> Timing:
    """The choice that gives this expression; its own text when no other choice does."""
    plain = " ".join(cron.split())
    found = _repeated(plain) or _at_times(plain)
    own = Timing(Every.OWN, cron=plain)
    return found._replace(cron=plain) if found and cron_of(found) == plain else own


def words(cron: str) -> str:
    """What an expression means, for a list; what no choice gives stays as it is."""
    found = timing_of(cron)
    match found.every:
        case Every.OWN:
            past = _PAST.fullmatch(found.cron)
            return f"Every hour, {past[1]} minutes past" if past else found.cron
        case Every.MINUTES:
            return "Every hour" if found.minutes == 60 else f"Every {found.minutes} minutes"
        case Every.WEEK:
            return f"{_listed([WEEKDAYS[day - 1] for day in found.days])} at {found.at:%H:%M}"
        case Every.MONTH:
            return f"On day {found.day} of each month at {found.at:%H:%M}"
    return f"{found.every} at {found.at:%H:%M}"


def _repeated(cron: str) -> Timing | None:
    if cron == _HOURLY:
        return Timing(Every.MINUTES, minutes=60)
    step = _STEP.fullmatch(cron)
    return Timing(Every.MINUTES, minutes=int(step[1])) if step and int(step[1]) in STEPS else None


def _at_times(cron: str) -> Timing | None:
    found = _TIME.fullmatch(cron)
    if not found or int(found[1]) > 59 or int(found[2]) > 23:
        return None
    at, day, weekdays = time(int(found[2]), int(found[1])), found[3], found[4]
    if weekdays != "*":
        return None if day != "*" else _weekly(at, weekdays)
    if day in ("*", "L"):
        return Timing(Every.DAY if day == "*" else Every.MONTH_END, at)
    return Timing(Every.MONTH, at, day=int(day)) if day.isdecimal() and 1 <= int(day) <= LAST_SURE_DAY else None


def _weekly(at: time, weekdays: str) -> Timing | None:
    if weekdays == "1-5":
        return Timing(Every.WORKDAYS, at)
    days = [7 if day == "0" else int(day) for day in weekdays.split(",") if re.fullmatch("[0-7]", day)]
    return Timing(Every.WEEK, at, tuple(sorted(set(days)))) if days else None


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
