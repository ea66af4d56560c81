"""What somebody should look at, most urgent first."""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from analytics.glance.numbers import amount
from stockverify.datasets import POSITIONS, RECORDS
from stockverify.wire.reports import QuerySpec

_NAMED = 6
_ASKED = 40
"""So many racks can be asked for by name; a question with more names fits into no address."""


# Racks have lines; those that nobody has begun have none with a time of count.
UNTOUCHED = QuerySpec(
    collection=POSITIONS.name,
    group_by=["floor", "rack_id"],
    aggregations={"item_code": "count", "counted_at": "count"},
    having={"counted_at_count": 0},
)
NOT_IN_BOOK = QuerySpec(collection=POSITIONS.name, filters={"in_book": False, "counted": True})
WITHOUT_COST = QuerySpec(
    collection=POSITIONS.name, filters={"counted": True, "unit_cost": None, "variance_qty": {"ne": 0}}
)
UNKNOWN_ITEMS = QuerySpec(collection=RECORDS.name, filters={"unknown_item": True})
PARTIAL = QuerySpec(collection=RECORDS.name, filters={"status": "partial"})


class Doubts(NamedTuple):
    """Counts that the figures alone do not tell: lines of positions, and records."""

    not_in_book: int
    without_cost: int
    unknown_items: int
    partial_records: int


class Notice(NamedTuple):
    """One line of the list: an icon of the Material set, what it is about, what to make of it, and the question to the
    snapshot that answers which ones they are."""

    icon: str
    title: str
    text: str
    question: QuerySpec


def notices(by_rack: pl.DataFrame, doubts: Doubts) -> list[Notice]:
    """All that applies; an empty list is good news."""
    counted, lines = pl.col("counted_lines"), pl.col("lines")
    untouched = by_rack.filter((counted == 0) & (lines > 0))["rack_id"].to_list()
    begun = by_rack.filter((counted > 0) & (counted < lines))["rack_id"].to_list()
    found = [
        _count("shelves", len(untouched), "rack", "not counted at all", f"{_some(untouched)}.", UNTOUCHED),
        _count("hourglass_top", len(begun), "rack", "counted in part", f"{_some(begun)}.", open_lines(begun)),
        _count(
            "help",
            doubts.unknown_items,
            "record",
            "of unknown items",
            "No stock list knows these item codes.",
            UNKNOWN_ITEMS,
        ),
        _count(
            "add_box",
            doubts.not_in_book,
            "line",
            "not in the book",
            "Found where the stock list has nothing.",
            NOT_IN_BOOK,
        ),
        _count(
            "money_off",
            doubts.without_cost,
            "line",
            "with a variance but no unit cost",
            "They are in the variance in units, and cannot be in the variance in value.",
            WITHOUT_COST,
        ),
        _count(
            "edit_note", doubts.partial_records, "record", "still partial", "Seen, but not finally counted.", PARTIAL
        ),
    ]
    return [notice for notice in found if notice]


def open_lines(racks: Sequence[str]) -> QuerySpec:
    """The lines of these racks that nobody has counted; of more racks than can be named, all such lines."""
    of_these = {"rack_id": {"in": list(racks)}} if len(racks) <= _ASKED else {}
    return QuerySpec(collection=POSITIONS.name, filters={"counted": False, **of_these})


def _count(icon: str, number: int, noun: str, what: str, text: str, question: QuerySpec) -> Notice | None:
    if number == 0:
        return None
    return Notice(icon, f"{amount(number, 'lines')} {noun}{'' if number == 1 else 's'} {what}", text, question)


def _some(names: Sequence[str]) -> str:
    more = f" and {amount(len(names) - _NAMED, 'lines')} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
