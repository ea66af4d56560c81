"""Values of filters as people type them, and back: what was read from a text is written as that text again."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from analytics.query.calculated.model import Field
from analytics.query.model import Value
from stockverify.datasets import Type
from stockverify.errors import BadInput

MISSING = "(empty)"
"""Among several values, that there is none. The text itself is written in quotes."""

_BOOLEANS = {"yes": True, "no": False}


class UnreadableValue(BadInput):
    """The filter on {field} cannot read {text!r}. It needs {wanted}."""


def read(field: Field, text: str, zone: ZoneInfo) -> Any:
    """The value as a query has it, in JSON. Raises UnreadableValue."""
    typed = text.strip()
    match field.type:
        case Type.FLOAT | Type.INTEGER:
            return _read(field, typed, _number, "a number such as 12 or 2.5")
        case Type.BOOLEAN:
            return _read(field, typed.lower(), _BOOLEANS.__getitem__, "yes or no")
        case Type.INSTANT:
            wanted = f"a time such as 2026-01-31 18:00, which is read in the zone {zone.key}"
            return _read(field, typed, lambda given: _instant(given, zone), wanted)
    return typed[1:-1] if _is_quoted(typed) else typed


def read_or_missing(field: Field, text: str, zone: ZoneInfo) -> Any:
    """The same for one of several values, which may be that there is none."""
    return None if text.strip() == MISSING else read(field, text, zone)


def written(value: Value, zone: ZoneInfo) -> str:
    """The text that is read as this value."""
    match value:
        case None:
            return MISSING
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return repr(float(value)).removesuffix(".0")
        case datetime():
            return _local(value, zone)
    plain = value == value.strip() and value not in ("", MISSING) and not _is_quoted(value)
    return value if plain else f'"{value}"'


def _is_quoted(text: str) -> bool:
    """Quotes keep blanks at the ends, and tell an empty text from none."""
    return len(text) > 1 and text[0] == text[-1] == '"'


def _read(field: Field, text: str, reader: Callable[[str], Any], wanted: str) -> Any:
    try:
        return reader(text)
    except (ValueError, KeyError, OverflowError):
        raise UnreadableValue(field=field.name, text=text[:80], wanted=wanted) from None


def _number(text: str) -> float:
    """JSON has no NaN and no infinity."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _instant(text: str, zone: ZoneInfo) -> str:
    """In UTC: before there were time zones, their offsets had seconds, which JSON's times have not."""
    typed = datetime.fromisoformat(text)
    return (typed if typed.tzinfo else typed.replace(tzinfo=zone)).astimezone(UTC).isoformat()


def _local(moment: datetime, zone: ZoneInfo) -> str:
    """On the clock of the zone; with its offset where that clock shows a time twice or ends."""
    try:
        typed = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        if typed.replace(tzinfo=zone).astimezone(UTC) == moment:
            return _short(typed.isoformat(" "))
    except OverflowError:
        pass
    return moment.astimezone(UTC).isoformat(" ")


def _short(text: str) -> str:
    """Without seconds that are 0; milliseconds stay."""
    return text.removesuffix(":00") if text.count(":") == 2 else text
