"""Charts of how well the stock is kept: accuracy and damage."""

import altair as alt
import polars as pl

from analytics.charts.style import BLUE, LEGEND, ORANGE, amounts, first, named, titled

_KINDS = {"accuracy": "Of lines", "accuracy_by_value": "Of value"}


def accuracy_by_floor(by_floor: pl.DataFrame) -> alt.Chart:
    """How much of the book can be relied on, of each floor that is counted: by count of lines, and by value."""
    rows = (
        named(by_floor, "floor")
        .unpivot(list(_KINDS), index="floor", variable_name="kind", value_name="share")
        .drop_nulls("share")
        .with_columns(pl.col("kind").replace(_KINDS))
    )
    colours = alt.Scale(domain=list(_KINDS.values()), range=[BLUE, ORANGE])
    return titled(
        alt.Chart(rows).mark_bar(),
        "Accuracy of the book on counted lines, by floor",
        x=alt.X("share:Q", title="Accuracy (%)", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("floor:N", title=None, sort=None),
        yOffset=alt.YOffset("kind:N", sort=list(_KINDS.values())),
        color=alt.Color("kind:N", title=None, scale=colours, legend=LEGEND),
        tooltip=["floor", "kind", alt.Tooltip("share:Q", format=".1%", title="accuracy")],
    )


def damage_by_category(by_category: pl.DataFrame, shown: int = 20) -> alt.Chart:
    """Which goods are damaged most: the categories with the most damaged units."""
    damaged = named(by_category, "category").filter(pl.col("damage_units") > 0)
    rows = damaged.sort("damage_units", descending=True, maintain_order=True).head(shown)
    return titled(
        alt.Chart(rows).mark_bar(color=ORANGE),
        first("Damaged units found, by category", shown, damaged.height, "categories"),
        x=alt.X("damage_units:Q", title="Damaged (units)", axis=amounts()),
        y=alt.Y("category:N", title="Category", sort=None),
        tooltip=["category", alt.Tooltip("damage_units:Q", format=",.2f"), alt.Tooltip("damage_rate:Q", format=".1%")],
    )
