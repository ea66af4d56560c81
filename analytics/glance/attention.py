"""What somebody should look at, most urgent first."""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from analytics.glance.numbers import amount

_NAMED = 6


class Doubts(NamedTuple):
    """Counts that the figures alone do not tell: lines of positions, and records."""

    not_in_book: int
    without_cost: int
    unknown_items: int
    partial_records: int


class Notice(NamedTuple):
    """One line of the list: an icon of the Material set, what it is about, and what to make of it."""

    icon: str
    title: str
    text: str


def notices(by_rack: pl.DataFrame, doubts: Doubts) -> list[Notice]:
    """All that applies; an empty list is good news."""
    counted, lines = pl.col("counted_lines"), pl.col("lines")
    untouched = by_rack.filter((counted == 0) & (lines > 0))["rack_id"].to_list()
    begun = by_rack.filter((counted > 0) & (counted < lines))["rack_id"].to_list()
    found = [
        _notice("shelves", untouched, "rack", "not counted at all", f"{_some(untouched)}."),
        _notice("hourglass_top", begun, "rack", "counted in part", f"{_some(begun)}."),
        _count("help", doubts.unknown_items, "record", "of unknown items", "No stock list knows these item codes."),
        _count("add_box", doubts.not_in_book, "line", "not in the book", "Found where the stock list has nothing."),
        _count(
            "money_off",
            doubts.without_cost,
            "line",
            "with a variance but no unit cost",
            "They are in the variance in units, and cannot be in the variance in value.",
        ),
        _count("edit_note", doubts.partial_records, "record", "still partial", "Seen, but not finally counted."),
    ]
    return [notice for notice in found if notice]


def _notice(icon: str, names: Sequence[str], noun: str, what: str, text: str) -> Notice | None:
    return _count(icon, len(names), noun, what, text)


def _count(icon: str, number: int, noun: str, what: str, text: str) -> Notice | None:
    if number == 0:
        return None
    return Notice(icon, f"{amount(number, 'lines')} {noun}{'' if number == 1 else 's'} {what}", text)


def _some(names: Sequence[str]) -> str:
    more = f" and {amount(len(names) - _NAMED, 'lines')} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
