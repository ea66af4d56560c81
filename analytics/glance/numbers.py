"""Numbers as people read them, by their unit: lines, units, value or share."""

import math

NOTHING = "–"


def amount(value: float | None, unit: str) -> str:
    """A number with its thousands apart. What is not there is a dash, never 0."""
    if value is None:
        return NOTHING
    match unit:
        case "share":
            return percent(value)
        case "value":
            return f"{_positive_zero(value, 2):,.2f}"
    return _trimmed(f"{_positive_zero(value, 3):,.3f}")


def rough(value: float | None) -> str:
    """A speed or a time as one would say it: three digits, and all of a larger number; what is small is not nothing."""
    if value is None or value == 0:
        return amount(value, "units")
    digits = min(max(2 - math.floor(math.log10(abs(value))), 0), 3)
    return amount(round(value, digits), "units") if round(abs(value), 3) else "<0.001"


def percent(share: float) -> str:
    """Cut, not rounded: 100 % and 0 % are only shown when all or none is meant."""
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{math.floor(round(share * 1000, 6)) / 10:.1f}%"


def step(before: float | None, after: float | None, unit: str) -> str:
    """By how much a figure moved, with its sign; nothing when it did not, or when one side has no figure."""
    if before is None or after is None:
        return ""
    if unit == "share":
        points = _positive_zero(100 * (after - before), 1)
        return f"{points:+.1f} pts" if points else ""
    digits = 2 if unit == "value" else 3
    moved = _positive_zero(after - before, digits)
    return ("+" if moved > 0 else "") + amount(moved, unit) if moved else ""


def _positive_zero(value: float, digits: int) -> float:
    return round(value, digits) + 0.0


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
