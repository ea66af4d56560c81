"""The figures at the top of the overview. Their meaning comes from analytics.figures; this only arranges them."""

from collections.abc import Container
from typing import Literal, NamedTuple

from analytics.figures import FIGURES, Totals, WorkTotals
from analytics.glance.money import labelled
from analytics.glance.numbers import amount, rough, step

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


_GOOD: dict[str, Good] = {"more": "normal", "less": "inverse", "neither": "off"}
_SHOWN = (
    ("progress", "Progress"),
    ("counted_lines", "Lines counted"),
    ("verified_units", "Verified units"),
    ("book_units", "Book units, same lines"),
    ("net_variance_units", "Net variance, units"),
    ("net_variance_value", "Net variance, value"),
    ("gross_variance_value", "Gross variance, value"),
    ("shrinkage_value", "Shrinkage, value"),
    ("accuracy", "Accuracy"),
    ("accuracy_by_value", "Accuracy by value"),
    ("recount_rate", "Recount rate"),
    ("damage_units", "Damaged units"),
    ("uncosted_lines", "Lines without a cost"),
)


def tiles(
    now: Totals, before: Totals | None, only: Container[str] = frozenset(dict(_SHOWN)), currency: str = ""
) -> list[Tile]:
    """The tiles of a snapshot, all or only those of some figures, with the change since the one before it. That values
    leave something out is said where they do, now or before."""
    shown = [(name, label) for name, label in _SHOWN if name in only]
    if not any(found.uncosted_lines for found in (now, before) if found):
        shown = [pair for pair in shown if pair[0] != "uncosted_lines"]
    return [_tile(name, labelled(label, currency), now, before) for name, label in shown]


def pace(work: WorkTotals) -> str:
    """How fast people count and how soon it arrives, in a line; empty while nobody has counted."""
    if not work.counts:
        return ""
    speed = f"{rough(work.items_per_hour)} items per hour, breaks left out"
    return f"Pace: {speed}. Time to sync: {rough(work.time_to_sync)} s (median)."


def _tile(name: str, label: str, now: Totals, before: Totals | None) -> Tile:
    figure, value = _FIGURES[name], getattr(now, name)
    delta = step(getattr(before, name), value, figure.unit) or 0 if before else None
    return Tile(label, _value(name, value, now), delta, _GOOD[figure.better], f"{_upper(figure.formula)}.")


def _value(name: str, value: float | None, now: Totals) -> str:
    shown = amount(value, _FIGURES[name].unit)
    match name:
        case "counted_lines":
            return f"{shown} / {amount(now.lines, 'lines')}"
        case "uncosted_lines":
            return f"{shown} (off by {amount(now.uncosted_units, 'units')})"
        case "damage_units" if now.damage_rate is not None:
            return f"{shown} ({amount(now.damage_rate, 'share')})"
        case "shrinkage_value" if now.shrinkage_rate is not None:
            return f"{shown} ({amount(now.shrinkage_rate, 'share')})"
    return shown


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
