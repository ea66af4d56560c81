"""A comparison as tables."""

from datetime import UTC, datetime

import polars as pl

from analytics.compare import Comparison, change, diff
from analytics.lake import Freeze
from dashboard.views.changes import Count, changed_columns, column_changes, counts, summary
from stockverify.datasets import ITEMS, Type

AT = datetime(2026, 1, 31, tzinfo=UTC)
FREEZE = Freeze(snapshot_id="20260131T000000000Z-00000000", name="", as_of=AT, created_at=AT, rows=1)
KEY = {"rack_id": "R", "bin": ""}


def lines(*rows: tuple[str, float, str]) -> pl.LazyFrame:
    """Book lines with a quantity and a floor."""
    return pl.LazyFrame(
        [{**KEY, "item_code": code, "book_qty": quantity, "floor": floor} for code, quantity, floor in rows]
    )


def comparison(before: pl.LazyFrame, after: pl.LazyFrame) -> Comparison:
    """What changed between them."""
    return Comparison(
        dataset="erp_items",
        baseline=FREEZE,
        comparison=FREEZE,
        ignored=("round",),
        summary={"lines": change(2, 3), "net_variance_value": change(0.0, -1.5), "book_qty_sum": change(2.5, 2.5)},
        diff=diff(before, after, ITEMS.key),
    )


FOUND = comparison(
    lines(("a", 1.0, "G"), ("b", 2.0, "G"), ("c", 3.0, "G"), ("e", 5.0, "G")),
    lines(("a", 1.0, "G"), ("b", 2.5, "G"), ("c", 3.5, "H"), ("d", 4.0, "G")),
)


def test_counts_of_rows() -> None:
    assert [(count.label, count.number) for count in counts(FOUND)] == [
        ("Added", 1),
        ("Removed", 1),
        ("Changed", 2),
        ("Unchanged", 1),
    ]


def test_duplicate_keys_are_named_when_there_are_any() -> None:
    twice = comparison(lines(("a", 1.0, "G"), ("a", 2.0, "G")), lines(("a", 1.0, "G")))
    assert counts(twice)[-1][:2] == ("Key used twice", 1)
    assert isinstance(counts(twice)[-1], Count)


def test_totals_before_and_after() -> None:
    assert summary(FOUND).rows() == [
        ("Lines", "lines", "2", "3", "+1", "+50.0%", "▲ up"),
        ("Net variance value", "value", "0.00", "-1.50", "-1.50", "–", "▼ down"),
        ("Book sum", "units", "2.5", "2.5", "0", "+0.0%", "● stable"),
    ]


def test_columns_by_how_often_they_changed() -> None:
    assert column_changes(FOUND.diff).rows() == [("Book", 2), ("Floor", 1)]
    assert column_changes(comparison(lines(("a", 1.0, "G")), lines(("a", 1.0, "G"))).diff).rows() == []


def test_only_columns_that_changed_are_shown_with_their_delta() -> None:
    shown = changed_columns(FOUND.diff, ITEMS)
    assert [name for name, _ in shown] == [
        *ITEMS.key,
        "book_qty_before",
        "book_qty_after",
        "book_qty_delta",
        "floor_before",
        "floor_after",
    ]
    assert dict(shown)["book_qty_delta"] is Type.FLOAT
