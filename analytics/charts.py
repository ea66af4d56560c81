"""Charts of a snapshot. Theme-neutral: transparent, with marks from a palette that colour-blind people can read.

Every chart takes a frame of figures from analytics.figures, a few dozen rows at most; `alt.Chart.to_dict` is its spec.
"""

from typing import Any

import altair as alt
import polars as pl

# Okabe and Ito (2008): these stay apart under all common kinds of colour blindness.
BLUE, GREEN, VERMILLION = "#0072B2", "#009E73", "#D55E00"
_NEUTRAL = "#888888"
_NO_NAME = "(none)"
_ROW = alt.Step(24)


def progress_by_floor(by_floor: pl.DataFrame) -> alt.Chart:
    """How much of each floor is counted."""
    rows = _named(by_floor, "floor")
    return _titled(
        alt.Chart(rows).mark_bar(color=GREEN),
        "Lines counted, by floor",
        x=alt.X("progress:Q", title="Lines counted (%)", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("floor:N", title="Floor", sort=None),
        tooltip=["floor", "counted_lines", "lines", alt.Tooltip("progress:Q", format=".1%")],
    )


def verified_against_book(by_floor: pl.DataFrame) -> alt.Chart:
    """What the book says beside what was found, of the lines that are counted."""
    rows = _named(by_floor, "floor").unpivot(["book_units", "verified_units"], index="floor", variable_name="quantity")
    shown = rows.with_columns(pl.col("quantity").replace({"book_units": "Book", "verified_units": "Verified"}))
    colours = alt.Scale(domain=["Book", "Verified"], range=[_NEUTRAL, BLUE])
    return _titled(
        alt.Chart(shown).mark_bar(),
        "Verified against book quantity of counted lines, by floor",
        x=alt.X("value:Q", title="Quantity (units)"),
        y=alt.Y("floor:N", title="Floor", sort=None),
        yOffset=alt.YOffset("quantity:N", sort=["Book", "Verified"]),
        color=alt.Color("quantity:N", title=None, scale=colours),
        tooltip=["floor", "quantity", alt.Tooltip("value:Q", format=",.2f", title="units")],
    )


def variance_by_category(by_category: pl.DataFrame, shown: int = 20) -> alt.Chart:
    """Where money is missing or in excess: the categories with the largest net variance at cost."""
    rows = _largest(_named(by_category, "category"), shown)
    return _signed(rows, "category", "Category", "Net variance at cost, by category")


def biggest_rack_variances(by_rack: pl.DataFrame, shown: int = 15) -> alt.Chart:
    """Which racks to look at first: those with the largest net variance at cost."""
    rows = _largest(_named(by_rack, "rack_id"), shown)
    return _signed(rows, "rack_id", "Rack", f"Largest net variances at cost, first {shown} racks")


def _named(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    return frame.with_columns(pl.col(column).replace("", None).fill_null(_NO_NAME))


def _largest(frame: pl.DataFrame, shown: int) -> pl.DataFrame:
    varied = frame.filter(pl.col("net_variance_value") != 0)
    size = pl.col("net_variance_value").abs()
    return varied.sort(size, descending=True, maintain_order=True).head(shown).sort("net_variance_value")


def _signed(rows: pl.DataFrame, column: str, axis: str, title: str) -> alt.Chart:
    missing = alt.condition("datum.net_variance_value < 0", alt.value(VERMILLION), alt.value(BLUE))
    return _titled(
        alt.Chart(rows).mark_bar(),
        title,
        x=alt.X("net_variance_value:Q", title="Net variance (currency; left of 0 is missing)"),
        y=alt.Y(f"{column}:N", title=axis, sort=None),
        color=missing,
        tooltip=[column, alt.Tooltip("net_variance_value:Q", format=",.2f"), "net_variance_units", "counted_lines"],
    )


def _titled(chart: alt.Chart, title: str, **encodings: Any) -> alt.Chart:
    encoded: alt.Chart = chart.encode(**encodings).properties(title=title, width="container", height=_ROW)
    plain: alt.Chart = encoded.configure(background="transparent").configure_view(stroke=None)
    return plain
