"""How long people take to count. The demo counts in milliseconds, and its devices stamp each count as if somebody had
walked up to it, counted and typed: else every pace in it would be one that nobody has."""

import random
from datetime import UTC, datetime, timedelta

SECONDS_EACH = (7.0, 19.0)
"""Between one count and the next; 280 lines an hour are a good counter with a scanner."""

SECONDS_IN_HASTE = (0.6, 0.9)
"""Too fast to have looked: what the kind `impossible_speed` is there to find."""


class Watch:
    """The clock of a device. It lags by what its counter has still to count, so that a rack is done when it is."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._ahead: list[float] = []

    def start(self, lines: int, in_haste: bool = False) -> None:
        """So many lines are to be counted from here on."""
        low, high = SECONDS_IN_HASTE if in_haste else SECONDS_EACH
        self._ahead = [self._rng.uniform(low, high) for _ in range(lines)]

    def counted(self) -> None:
        """One of them is done."""
        if self._ahead:
            self._ahead.pop()

    def now(self) -> datetime:
        """What a device shows; it stamps counts and orders nothing."""
        return datetime.now(UTC) - timedelta(seconds=sum(self._ahead))
