"""Values of a filter, read as the type of their column."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from analytics.query.calculated.model import Field
from analytics.query.model import Value
from stockverify.datasets import Type
from stockverify.errors import BadInput

MAX_TEXT = 4096
# Up to here every whole number is exact as a float, so both engines compare it alike.
MAX_WHOLE = 2**53

_WANTED = {
    Type.STRING: f"a text of at most {MAX_TEXT} characters",
    Type.STRINGS: f"a text of at most {MAX_TEXT} characters",
    Type.FLOAT: "a finite number",
    Type.INTEGER: "a number between -2^53 and 2^53",
    Type.BOOLEAN: "true or false",
    Type.INSTANT: "an ISO 8601 time or Unix seconds, in the years 1 to 9999",
}


class WrongValue(BadInput):
    """The filter on {field!r} needs {wanted}; it has {value}."""


def wrong(column: Field, value: Any, wanted: str | None = None) -> WrongValue:
    """The error that names field, need and value."""
    return WrongValue(field=column.name, wanted=wanted or _WANTED[column.type], value=repr(value)[:80])


def value_of(column: Field, value: Any) -> Value:
    """One value, or None for null. Raises WrongValue."""
    if value is None:
        return None
    try:
        return _READ[column.type](value)
    except (ValueError, TypeError, OverflowError, OSError):
        raise wrong(column, value) from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError
    value.encode()  # a lone surrogate is no text for either engine
    return value


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _whole(value: Any) -> float:
    number = _float(value)
    if abs(number) > MAX_WHOLE:
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def instant(value: Any) -> datetime:
    """In UTC, cut to the milliseconds that MongoDB keeps. A time without a zone counts as UTC."""
    if isinstance(value, str):
        moment = msgspec.convert(value, datetime)
    else:
        moment = value if isinstance(value, datetime) else datetime.fromtimestamp(_float(value), UTC)
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


_READ: dict[Type, Callable[[Any], Value]] = {
    Type.STRING: _text,
    Type.STRINGS: _text,
    Type.FLOAT: _float,
    Type.INTEGER: _whole,
    Type.BOOLEAN: _boolean,
    Type.INSTANT: instant,
}
