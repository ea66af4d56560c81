"""The figures at the top of the overview. Their meaning comes from analytics.figures; this only arranges them."""

from typing import Literal, NamedTuple

from analytics.figures import FIGURES, Totals
from dashboard.views.numbers import amount, step

Good = Literal["normal", "inverse", "off"]
_FIGURES = {figure.name: figure for figure in FIGURES}


class Tile(NamedTuple):
    """One figure. `delta` is empty without a previous snapshot, and 0 when nothing changed; `good` says which direction
    is good: up (normal), down (inverse) or neither (off)."""

    label: str
    value: str
    delta: str | int | None
    good: Good
    help: str


_SHOWN: tuple[tuple[str, str, Good], ...] = (
    ("progress", "Progress", "normal"),
    ("counted_lines", "Lines counted", "normal"),
    ("verified_units", "Verified units", "off"),
    ("book_units", "Book units, same lines", "off"),
    ("net_variance_units", "Net variance, units", "off"),
    ("net_variance_value", "Net variance, value", "off"),
    ("accuracy", "Accuracy", "normal"),
    ("damage_units", "Damaged units", "inverse"),
)


def tiles(now: Totals, before: Totals | None) -> list[Tile]:
    """The tiles of a snapshot, with the change since the one before it."""
    return [_tile(name, label, good, now, before) for name, label, good in _SHOWN]


def _tile(name: str, label: str, good: Good, now: Totals, before: Totals | None) -> Tile:
    figure, value = _FIGURES[name], getattr(now, name)
    delta = step(getattr(before, name), value, figure.unit) or 0 if before else None
    return Tile(label, _value(name, value, now), delta, good, f"{_upper(figure.formula)}.")


def _value(name: str, value: float | None, now: Totals) -> str:
    shown = amount(value, _FIGURES[name].unit)
    match name:
        case "counted_lines":
            return f"{shown} / {amount(now.lines, 'lines')}"
        case "damage_units" if now.damage_rate is not None:
            return f"{shown} ({amount(now.damage_rate, 'share')})"
    return shown


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
