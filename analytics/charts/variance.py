"""Charts of what is missing and what is in excess."""

import altair as alt
import polars as pl

from analytics.charts.style import BLUE, LEGEND, NEUTRAL, VERMILLION, amounts, first, named, titled
from analytics.charts.waterfall import End, Words, largest, waterfall
from analytics.glance.money import axis_unit


def verified_against_book(by_floor: pl.DataFrame) -> alt.Chart:
    """What the book says beside what was found, of the lines that are counted."""
    rows = named(by_floor, "floor").unpivot(["book_units", "verified_units"], index="floor", variable_name="quantity")
    shown = rows.with_columns(pl.col("quantity").replace({"book_units": "Book", "verified_units": "Verified"}))
    colours = alt.Scale(domain=["Book", "Verified"], range=[NEUTRAL, BLUE])
    return titled(
        alt.Chart(shown).mark_bar(),
        "Verified against book quantity of counted lines, by floor",
        x=alt.X("value:Q", title="Quantity (units)", axis=amounts()),
        y=alt.Y("floor:N", title=None, sort=None),
        yOffset=alt.YOffset("quantity:N", sort=["Book", "Verified"]),
        color=alt.Color("quantity:N", title=None, scale=colours, legend=LEGEND),
        tooltip=["floor", "quantity", alt.Tooltip("value:Q", format=",.2f", title="units")],
    )


def variance_by_category(by_category: pl.DataFrame, shown: int = 20, currency: str = "") -> alt.Chart:
    """Where money is missing or in excess: the categories with the largest net variance at cost."""
    varied = named(by_category, "category").filter(pl.col("net_variance_value") != 0)
    title = first("Net variance at cost, by category", shown, varied.height, "categories")
    return _signed(_largest(varied, shown), "category", "Category", title, currency)


def biggest_rack_variances(by_rack: pl.DataFrame, shown: int = 15, currency: str = "") -> alt.Chart:
    """Which racks to look at first: those with the largest net variance at cost."""
    rows = _largest(named(by_rack, "rack_id"), shown)
    return _signed(rows, "rack_id", "Rack", f"Largest net variances at cost, first {shown} racks", currency)


def variance_waterfall(by_category: pl.DataFrame, shown: int = 12, currency: str = "") -> alt.LayerChart:
    """From the book value to the verified value of the counted lines, one step for each category: the largest first,
    the rest in one step."""
    steps = largest(named(by_category, "category"), "category", "net_variance_value", shown, "All others")
    book, found = (float(by_category[name].sum()) for name in ("book_value", "verified_value"))
    words = Words(
        title="From book value to verified value at cost, by category",
        axis=f"Value at cost ({axis_unit(currency)})",
        step="Category",
        down="Missing",
        up="In excess",
    )
    return waterfall(End("Book value", book), steps, End("Verified value", found), words)


def _largest(frame: pl.DataFrame, shown: int) -> pl.DataFrame:
    varied = frame.filter(pl.col("net_variance_value") != 0)
    size = pl.col("net_variance_value").abs()
    return varied.sort(size, descending=True, maintain_order=True).head(shown).sort("net_variance_value")


def _signed(rows: pl.DataFrame, column: str, axis: str, title: str, currency: str) -> alt.Chart:
    unit = axis_unit(currency)
    missing = alt.condition("datum.net_variance_value < 0", alt.value(VERMILLION), alt.value(BLUE))
    return titled(
        alt.Chart(rows).mark_bar(),
        title,
        x=alt.X("net_variance_value:Q", title=f"Net variance ({unit}; left of 0 is missing)", axis=amounts()),
        y=alt.Y(f"{column}:N", title=axis, sort=None),
        color=missing,
        tooltip=[column, alt.Tooltip("net_variance_value:Q", format=",.2f"), "net_variance_units", "counted_lines"],
    )
