"""Pure decisions about what is measured."""

import math

from stockverify.breaker import BreakerState
from stockverify.wire.sessions import DeviceQueue

MAX_QUEUE = 10_000_000
MAX_AGE_SECONDS = 10 * 365 * 24 * 3600.0
LOGIN_OPERATIONS = frozenset({"auth.login", "auth.login_pin", "auth.oidc", "auth.refresh", "devices.enroll"})
_BREAKER_VALUES = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


def status_class(status: int) -> str:
    """2xx for 204, and so on; none when a request ended without a reply."""
    return f"{status // 100}xx" if 100 <= status < 600 else "none"


def breaker_value(state: BreakerState) -> int:
    """A breaker's state as a number that rises with the trouble."""
    return _BREAKER_VALUES[state]


def reported_queue(length: str | None, age: str | None) -> DeviceQueue | None:
    """What a device says of its queue in X-Queue-Length and X-Queue-Age; nonsense is no report, never an error."""
    records = _number(length, MAX_QUEUE)
    if records is None or not records.is_integer():
        return None
    return DeviceQueue(length=int(records), age_seconds=_number(age, MAX_AGE_SECONDS))


def _number(text: str | None, limit: float) -> float | None:
    try:
        number = float((text or "")[:32])
    except ValueError:
        return None
    return number if math.isfinite(number) and 0 <= number <= limit else None
