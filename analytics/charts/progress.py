"""Charts of how far the count is."""

import altair as alt
import polars as pl

from analytics.charts.style import GREEN, named, plain, titled

PER_ROW = 60
MOST_CELLS = 1500
_APART = "\u2063"
"""Stands in no name, and unlike other separators may stand in SVG."""


def progress_by_floor(by_floor: pl.DataFrame) -> alt.Chart:
    """How much of each floor is counted."""
    rows = named(by_floor, "floor")
    return titled(
        alt.Chart(rows).mark_bar(color=GREEN),
        "Lines counted, by floor",
        x=alt.X("progress:Q", title="Lines counted (%)", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("floor:N", title="Floor", sort=None),
        tooltip=["floor", "counted_lines", "lines", alt.Tooltip("progress:Q", format=".1%")],
    )


def progress_map(by_rack: pl.DataFrame) -> alt.Chart:
    """The store at a glance: floor by floor, a cell for each rack, or for some neighbours when there are many racks."""
    cells, together = _cells(named(by_rack, "floor"))
    what = "one rack" if together == 1 else f"{together} neighbouring racks"
    parts = f"split(datum.value, '{_APART}')"
    floor = alt.Axis(labelExpr=f"{parts}[1] == '0000' ? {parts}[0] : ''", labelLimit=140, ticks=False, domain=False)
    chart = alt.Chart(cells).mark_rect(stroke="#808080", strokeWidth=0.4, cornerRadius=2)
    shown: alt.Chart = chart.encode(
        x=alt.X("column:O", axis=None),
        y=alt.Y("place:N", title="Floor", sort=None, axis=floor, scale=alt.Scale(paddingInner=0.2)),
        color=alt.Color(
            "progress:Q",
            title="Lines counted",
            scale=alt.Scale(domain=[0, 1], scheme="cividis"),
            legend=alt.Legend(format=".0%", orient="top", gradientLength=200, tickCount=4),
        ),
        tooltip=["floor", "racks", "counted_lines", "lines", alt.Tooltip("progress:Q", format=".1%")],
    )
    return plain(
        shown.properties(title=f"Lines counted, by floor; a cell is {what}", width="container", height=alt.Step(20))
    )


def _cells(by_rack: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The cells, PER_ROW in a row of a floor, and how many racks each stands for."""
    together = max(1, -(-by_rack.height // MOST_CELLS))
    number = pl.int_range(pl.len(), dtype=pl.Int64).over("floor") // together
    grouped = (
        by_rack.sort("floor", "rack_id")
        .with_columns(cell=number)
        .group_by("floor", "cell", maintain_order=True)
        .agg(pl.col("counted_lines", "lines").sum(), low=pl.col("rack_id").first(), high=pl.col("rack_id").last())
    )
    several = pl.when(pl.col("low") == pl.col("high")).then("low").otherwise(pl.format("{} to {}", "low", "high"))
    row = (pl.col("cell") // PER_ROW).cast(pl.String).str.zfill(4)
    cells = grouped.select(
        "floor",
        "counted_lines",
        "lines",
        racks=several,
        progress=pl.when(pl.col("lines") > 0).then(pl.col("counted_lines") / pl.col("lines")).otherwise(0.0),
        column=pl.col("cell") % PER_ROW,
        place=pl.concat_str("floor", pl.lit(_APART), row),
    )
    return cells, together
