"""A comparison as tables."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from analytics.compare import Asked, Comparison, Kind, Tolerance, change
from analytics.compare.store import Sides, make
from analytics.lake import Lake
from analytics.lake.publish import Head, publish
from dashboard.views.changes import Count, column_changes, columns, counts, summary
from dashboard.views.marked import CHANGED, marked
from stockverify.datasets import ITEMS, POSITIONS, Type

AT = datetime(2026, 1, 31, tzinfo=UTC)
IDS = ("20260131T000000000Z-00000000", "20260131T000000000Z-00000001")
KEY = {"rack_id": "R", "bin": ""}


def lines(*rows: tuple[str, float, str]) -> pl.DataFrame:
    """Book lines with a quantity and a floor."""
    return pl.DataFrame(
        [{**KEY, "item_code": code, "book_qty": quantity, "floor": floor} for code, quantity, floor in rows]
    )


def comparison(
    folder: Path, before: pl.DataFrame, after: pl.DataFrame, tolerances: dict[str, Tolerance] | None = None
) -> Comparison:
    """What changed between them."""
    folder.mkdir(exist_ok=True)
    sides = [folder / "before.parquet", folder / "after.parquet"]
    for side, rows in zip(sides, (before, after), strict=True):
        rows.write_parquet(side)
    lake = Lake(folder / "lake")
    for snapshot_id in IDS:
        head = Head(snapshot_id=snapshot_id, name="", as_of=AT, created_at=AT)
        publish(lake.root, POSITIONS, head, [], {}, {})
    asked = Asked(
        dataset=ITEMS.name,
        baseline=IDS[0],
        comparison=IDS[1],
        key=ITEMS.key,
        ignored=("round",),
        tolerances=tolerances or {},
    )
    totals = {"lines": change(2, 3), "net_variance_value": change(0.0, -1.5), "book_qty_sum": change(2.5, 2.5)}
    freezes = [lake.freeze(snapshot_id) for snapshot_id in IDS]
    return make(lake, asked, Sides(freezes[0], sides[:1], freezes[1], sides[1:]), totals)


@pytest.fixture
def found(tmp_path: Path) -> Comparison:
    """Of four lines one is gone, one is new, and two are changed."""
    return comparison(
        tmp_path,
        lines(("a", 1.0, "G"), ("b", 2.0, "G"), ("c", 3.0, "G"), ("e", 5.0, "G")),
        lines(("a", 1.0, "G"), ("b", 2.5, "G"), ("c", 3.5, "H"), ("d", 4.0, "G")),
    )


def test_counts_of_rows(found: Comparison) -> None:
    assert [(count.label, count.number) for count in counts(found)] == [
        ("Added", 1),
        ("Removed", 1),
        ("Changed", 2),
        ("Unchanged", 1),
    ]


def test_duplicate_keys_are_named_when_there_are_any(tmp_path: Path) -> None:
    twice = comparison(tmp_path, lines(("a", 1.0, "G"), ("a", 2.0, "G")), lines(("a", 1.0, "G")))
    assert counts(twice)[-1][:2] == ("Key used twice", 1)
    assert isinstance(counts(twice)[-1], Count)


def test_totals_before_and_after(found: Comparison) -> None:
    assert summary(found).rows() == [
        ("Lines", "lines", "2", "3", "+1", "+50.0%"),
        ("Net variance value", "value", "0.00", "-1.50", "-1.50", "–"),
        ("Book sum", "units", "2.5", "2.5", "0", "0%"),
    ]


def test_columns_by_how_often_they_changed(found: Comparison, tmp_path: Path) -> None:
    assert column_changes(found).rows() == [("Book", 2), ("Floor", 1)]
    same = comparison(tmp_path / "same", lines(("a", 1.0, "G")), lines(("a", 1.0, "G")))
    assert column_changes(same).rows() == []


def test_what_tolerances_let_pass_is_counted_beside_what_they_did_not(tmp_path: Path) -> None:
    before = lines(("a", 1.0, "G"), ("b", 2.0, "G"), ("c", 3.0, "G"))
    after = lines(("a", 1.5, "G"), ("b", 2.5, "G"), ("c", 9.0, "G"))
    found = comparison(tmp_path, before, after, {"book_qty": Tolerance(absolute=0.5)})
    assert column_changes(found).rows() == [("Book", 1, 2)]
    assert counts(found)[3] == Count(
        "Unchanged", 2, "Rows that are equal in both, 2 of them only thanks to tolerances."
    )


def test_changed_cells_are_marked_on_both_sides_and_named(found: Comparison) -> None:
    shown = columns(found, Kind.CHANGED)
    drawn = marked(found.rows(Kind.CHANGED), shown)
    marks = drawn._compute().ctx
    names = [name for name, _ in shown]
    hit = {(row, names[column]) for (row, column), css in marks.items() if css}
    both = {(row, f"book_qty_{side}") for row in (0, 1) for side in ("before", "after", "delta")}
    assert hit == both | {(1, "floor_before"), (1, "floor_after")}
    assert drawn.data[CHANGED].tolist() == ["Book", "Book, Floor"]


def test_only_columns_that_changed_are_shown_with_their_delta(found: Comparison) -> None:
    shown = columns(found, Kind.CHANGED)
    assert [name for name, _ in shown] == [
        *ITEMS.key,
        CHANGED,
        "book_qty_before",
        "book_qty_after",
        "book_qty_delta",
        "floor_before",
        "floor_after",
    ]
    assert dict(shown)["book_qty_delta"] is Type.FLOAT
