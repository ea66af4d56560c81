"""How far a number may move and still count as unchanged."""

import math
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from stockverify.errors import BadInput

_WRITTEN = re.compile(r"(?P<column>[^=]+)=(?P<size>[^=%]+)(?P<percent>%?)")


class BadTolerance(BadInput):
    """The tolerance of {column!r} cannot be used: {reason}. Give an absolute one in the column's own unit or a
    relative one as a share of the value before (0.05 is 5 %), neither below 0."""


class UnreadableTolerance(BadInput):
    """{text!r} is no tolerance. Write COLUMN=0.5 for an absolute one, or COLUMN=5% for a share of the value before."""


class Tolerance(Struct, frozen=True):
    """A step from before to after is within tolerance if |delta| <= absolute or |delta| <= relative * |before|, where
    delta is after - before, and both sides of each comparison are rounded to a millionth, as they are shown: 0.3 - 0.1
    is within 0.2. The bounds belong to what is within. A step from or to null, NaN or an infinity is never within.

    `absolute` is in the unit of the column, `relative` a share. A relative tolerance looks at the value before: what is
    within it there need not be within it back.
    """

    absolute: float | None = None
    relative: float | None = None


Tolerances = Mapping[str, Tolerance]


def checked(tolerances: Tolerances, numbers: Sequence[str]) -> dict[str, Tolerance]:
    """The tolerances, sorted by column, if each is of one of the columns that hold numbers. Raises BadTolerance."""
    for column, tolerance in tolerances.items():
        if column not in numbers:
            reason = f"it is none of the numbers that are compared: {', '.join(numbers) or 'there are none'}"
            raise BadTolerance(column=column[:80], reason=reason)
        for size in (tolerance.absolute, tolerance.relative):
            if size is not None and not (math.isfinite(size) and size >= 0):
                raise BadTolerance(column=column, reason=f"{size} is not a size")
    return dict(sorted(tolerances.items()))


def parsed(texts: Sequence[str]) -> dict[str, Tolerance]:
    """Tolerances as a person writes them, `verified_qty=0.5` or `verified_qty=5%`; the same column may have both.
    Raises UnreadableTolerance."""
    found: dict[str, Tolerance] = {}
    for text in texts:
        column, size, is_share = _read(text)
        known = found.get(column, Tolerance())
        absolute, relative = (known.absolute, size / 100) if is_share else (size, known.relative)
        found[column] = Tolerance(absolute, relative)
    return found


def _read(text: str) -> tuple[str, float, bool]:
    match = _WRITTEN.fullmatch(text.strip())
    try:
        if match:
            return match["column"].strip(), float(match["size"]), bool(match["percent"])
    except ValueError:
        pass
    raise UnreadableTolerance(text=text[:80])
