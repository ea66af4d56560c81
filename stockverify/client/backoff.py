"""How long a device waits before it tries again. Pure: randomness and headers come in as arguments."""

import random
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_SECONDS = 2.0
"""No wait is shorter, so that a service that comes back is not hit by everybody in the same moment."""

LONGEST_SECONDS = 300.0
"""No wait is longer, whatever a service asks for: a counter must not wait an hour for a wrong header."""

_SECONDS = re.compile(r"[0-9]{1,9}")
_DOUBLINGS = 16


def delay(failures: int, rng: random.Random) -> float:
    """Seconds to wait after so many failures in a row: evenly spread below a ceiling that doubles each time.

    The ceiling is 4 s after the first failure and 5 minutes from the eighth on ("full jitter").
    """
    ceiling = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures, _DOUBLINGS))
    return rng.uniform(FIRST_SECONDS, ceiling) if failures > 0 else 0.0


def as_asked(retry_after: float, rng: random.Random) -> float:
    """Seconds to wait when the service named a time: never less, a little spread, capped."""
    return min(LONGEST_SECONDS, retry_after + rng.uniform(0.0, FIRST_SECONDS))


def read_retry_after(value: str | None, date: str | None) -> float | None:
    """Seconds in a Retry-After header, None when it is missing or makes no sense.

    A date in it is compared with the reply's own Date header: the clock of a device is not trusted.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_SECONDS)
    until, sent = _instant(text), _instant((date or "").strip())
    if until is None or sent is None:
        return None
    return min(max((until - sent).total_seconds(), 0.0), LONGEST_SECONDS)


def _instant(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
