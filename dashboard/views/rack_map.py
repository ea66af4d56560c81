"""Racks as a map: one cell per rack, floor by floor, filled as far as it is counted."""

import altair as alt
import polars as pl

PER_ROW = 12
MOST_CELLS = 600
STEP = 38

# An uncounted rack is quiet on both backgrounds; names stay readable on every shade.
_FILL = {False: ["#e3eae9", "#0f766e"], True: ["#223136", "#23897d"]}
_NAME = {False: "#17262a", True: "#c9d6d6"}
_NAME_ON_FULL = "#ffffff"
_APART = "\u001f"


def rack_map(cells: pl.DataFrame, dark: bool) -> alt.LayerChart:
    """The chart of `places`, at most MOST_CELLS of them, for a light or a dark page."""
    grid = alt.Chart(cells).encode(
        x=alt.X("column:O", axis=None, scale=alt.Scale(paddingInner=0.06)),
        y=alt.Y("place:N", sort=None, scale=alt.Scale(paddingInner=0.12), axis=_floor_axis()),
        tooltip=[
            alt.Tooltip("rack:N", title="Rack"),
            alt.Tooltip("floor:N", title="Floor"),
            alt.Tooltip("counted_lines:Q", title="Lines counted"),
            alt.Tooltip("lines:Q", title="Lines"),
        ],
    )
    filled = alt.Color("progress:Q", scale=alt.Scale(domain=[0, 1], range=_FILL[dark]), legend=_legend())
    boxes = grid.mark_rect(cornerRadius=4).encode(color=filled)
    names = grid.mark_text(fontSize=11, limit=44).encode(
        text="rack:N", color=alt.condition("datum.progress > 0.55", alt.value(_NAME_ON_FULL), alt.value(_NAME[dark]))
    )
    both = alt.LayerChart(layer=[boxes, names]).properties(background="transparent")
    plain: alt.LayerChart = both.configure_view(stroke=None)
    return plain


def places(by_rack: pl.DataFrame) -> pl.DataFrame:
    """Where each rack stands: racks in order of floor and name, PER_ROW in a row, and a new row for each floor."""
    number = pl.int_range(pl.len(), dtype=pl.Int64).over("floor")
    named = by_rack.with_columns(pl.col("floor").replace("", None).fill_null("No floor")).sort("floor", "rack_id")
    return named.select(
        "floor",
        pl.col("rack_id").alias("rack"),
        pl.col("counted_lines", "lines"),
        pl.col("progress").fill_null(0.0),
        (number % PER_ROW).alias("column"),
        pl.concat_str("floor", pl.lit(_APART), (number // PER_ROW).cast(pl.String).str.zfill(4)).alias("place"),
    )


def _floor_axis() -> alt.Axis:
    """A floor's name beside its first row only."""
    parts = f"split(datum.value, '{_APART}')"
    return alt.Axis(
        title=None, domain=False, ticks=False, labelLimit=140, labelExpr=f"{parts}[1] == '0000' ? {parts}[0] : ''"
    )


def _legend() -> alt.Legend:
    return alt.Legend(title="Lines counted", format=".0%", orient="top", gradientLength=160, tickCount=2)
