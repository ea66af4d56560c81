"""The chart that fits the groups of a query."""

from typing import Any

import polars as pl
import pytest

from analytics.query import checked
from dashboard.views.charting import Drawing, figures, fitting, unit_of, why_none
from stockverify.wire.reports import GroupBy, QuerySpec

DAY = GroupBy(field="received_at", by="day", zone="Europe/Berlin")


def query(*keys: str | GroupBy, **aggregations: str | list[str]):  # type: ignore[no-untyped-def]
    """Records by these keys."""
    return checked(QuerySpec(collection="verification_records", group_by=list(keys), aggregations=aggregations))


def drawn(drawing: Drawing) -> tuple[str, str, list[dict[str, Any]]]:
    """Mark, title and rows of the chart; Altair checks it against its schema."""
    spec = drawing.chart.to_dict()
    [rows] = spec["datasets"].values()
    return spec["mark"]["type"], spec["title"], rows


@pytest.mark.parametrize(
    ("asked", "groups", "why"),
    [
        (query(), 10, "group them"),
        (query("floor", item_code="count"), 5001, "5,001 groups are too many for a chart (at most 5,000)"),
        (query("floor"), 3, "no number to draw"),
        (query("floor", item_code="max"), 3, "no number to draw"),
        (query(item_code="count"), 1, "one row of figures"),
        (query("floor", item_code="count"), 0, "no row passes"),
        (query("floor", item_code="count"), 5000, ""),
    ],
)
def test_why_there_is_no_chart(asked: Any, groups: int, why: str) -> None:
    said = why_none(asked, groups)
    assert why in said
    assert bool(said) is bool(why)


def test_groups_of_one_key_are_bars_in_their_order() -> None:
    asked = query("unknown_item", verified_qty=["sum", "avg"])
    found = pl.DataFrame({"unknown_item": [True, None], "verified_qty_sum": [2.5, 1.0], "verified_qty_avg": [1.0, 1.0]})
    mark, title, rows = drawn(fitting(asked, found, "verified_qty_sum"))
    assert (mark, title) == ("bar", "Verified sum by unknown item")
    assert [(row["group"], row["value"]) for row in rows] == [("yes", 2.5), ("(none)", 1.0)]


def test_what_bars_leave_out_is_said() -> None:
    found = pl.DataFrame({"item_code": [f"{n}" for n in range(50)], "item_code_count": [1] * 50})
    shown = fitting(query("item_code", item_code="count"), found, "item_code_count")
    assert shown.left_out == "The chart shows the first 40 of 50 groups, in their order."
    assert len(drawn(shown)[2]) == 40


def test_days_are_a_line_in_their_order() -> None:
    asked = query(DAY, verified_qty="sum")
    found = pl.DataFrame({"received_at_day": ["2026-02-01", "2026-01-31", None], "verified_qty_sum": [2.0, 1.0, 9.0]})
    shown = fitting(asked, found, "verified_qty_sum")
    mark, _, rows = drawn(shown)
    assert mark == "line"
    assert [(row["day"][:10], row["value"]) for row in rows] == [("2026-01-31", 1.0), ("2026-02-01", 2.0)]
    assert shown.left_out == "Groups without a date (1) are in the table only."
    assert shown.chart.to_dict()["encoding"]["x"]["title"] == "Received at, by day (Europe/Berlin)"


def test_only_the_largest_lines_are_drawn_and_that_is_said() -> None:
    asked = query(DAY, "username", verified_qty="sum")
    found = pl.DataFrame(
        {
            "received_at_day": ["2026-02-01"] * 10,
            "username": [None, *(f"u{n}" for n in range(9))],
            "verified_qty_sum": [float(n) for n in range(10, 0, -1)],
        }
    )
    shown = fitting(asked, found, "verified_qty_sum")
    assert shown.left_out == "The chart shows the 8 largest of 10 lines; the table has all."
    assert [row["group"] for row in drawn(shown)[2]] == ["(none)", *(f"u{n}" for n in range(7))]


def test_two_keys_are_a_map_when_it_is_mostly_full_and_bars_otherwise() -> None:
    asked = query("floor", "status", verified_qty="sum")
    full = pl.DataFrame({"floor": ["A", "A", "B"], "status": ["x", "y", "x"], "verified_qty_sum": [1.0, -2.0, 3.0]})
    mark, title, rows = drawn(fitting(asked, full, "verified_qty_sum"))
    assert (mark, title, len(rows)) == ("rect", "Verified sum by floor and status", 3)
    sparse = pl.DataFrame({"floor": list("ABCD"), "status": list("wxyz"), "verified_qty_sum": [1.0] * 4})
    mark, _, rows = drawn(fitting(asked, sparse, "verified_qty_sum"))
    assert (mark, rows[0]["group"]) == ("bar", "A · w")


def test_units_are_named_where_they_are_known() -> None:
    asked = query("floor", verified_qty="sum", mrp="avg", item_code="count")
    assert figures(asked) == ["verified_qty_sum", "mrp_avg", "item_code_count"]
    assert [unit_of(asked, name) for name in figures(asked)] == [" (units)", " (currency)", ""]
    assert unit_of(asked, "mrp_avg", "EUR") == " (EUR)"
