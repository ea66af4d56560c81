"""Charts of how far the count is."""

import altair as alt
import polars as pl

from analytics.charts.style import APART, GREEN, label_of, named, plain, titled

PER_ROW = 60
NAMED_PER_ROW = 12
MOST_NAMED = 240
"""With so many racks each cell still has room for a name."""
MOST_CELLS = 1500
ROW_PIXELS = {True: 34, False: 20}
"""The height of a row with names, and of one without."""


def progress_by_floor(by_floor: pl.DataFrame) -> alt.Chart:
    """How much of each floor is counted."""
    rows = named(by_floor, "floor")
    return titled(
        alt.Chart(rows).mark_bar(color=GREEN),
        "Lines counted, by floor",
        x=alt.X("progress:Q", title="Lines counted (%)", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("floor:N", title=None, sort=None),
        tooltip=["floor", "counted_lines", "lines", alt.Tooltip("progress:Q", format=".1%")],
    )


def progress_map(by_rack: pl.DataFrame) -> alt.LayerChart:
    """The store at a glance: floor by floor, a cell for each rack, with its name if there is room, or for some
    neighbours when there are many racks."""
    cells, together = _cells(named(by_rack, "floor"))
    what = "one rack" if together == 1 else f"{together} neighbouring racks"
    first_row = f"{label_of(1)} == '0000' ? {label_of(0)} : ''"
    floor = alt.Axis(labelExpr=first_row, labelLimit=140, ticks=False, domain=False)
    grid = alt.Chart(cells).encode(
        x=alt.X("column:O", axis=None),
        y=alt.Y("place:N", title=None, sort=None, axis=floor, scale=alt.Scale(paddingInner=0.12)),
        tooltip=["floor", "racks", "counted_lines", "lines", alt.Tooltip("progress:Q", format=".1%")],
    )
    boxes = grid.mark_rect(stroke="#808080", strokeWidth=0.4, cornerRadius=2).encode(color=_progress_colour())
    layers = [boxes, _names(grid, cells["column"].n_unique())] if has_names(by_rack) else [boxes]
    title = f"Lines counted, by floor; a cell is {what}"
    height = alt.Step(ROW_PIXELS[has_names(by_rack)])
    return plain(alt.LayerChart(layer=layers).properties(title=title, width="container", height=height))


def has_names(by_rack: pl.DataFrame) -> bool:
    """Whether the map of these racks has room for their names."""
    return by_rack.height <= MOST_NAMED


def rows_of_map(by_rack: pl.DataFrame) -> int:
    """How many rows the map of these racks has, for whoever has to say how high it is."""
    cells, _ = _cells(named(by_rack, "floor"))
    return cells["place"].n_unique()


def _progress_colour() -> alt.Color:
    return alt.Color(
        "progress:Q",
        title="Lines counted",
        scale=alt.Scale(domain=[0, 1], scheme="cividis"),
        legend=alt.Legend(format=".0%", orient="top", gradientLength=200, offset=6, values=[0, 0.5, 1]),
    )


def _names(grid: alt.Chart, columns: int) -> alt.Chart:
    """As much of each name as fits into its cell, however wide the page is."""
    ink = alt.condition("datum.progress > 0.5", alt.value("#17262a"), alt.value("#ffffff"))
    room = alt.ExprRef(f"width / {max(columns, 1)} - 4")
    drawn: alt.Chart = grid.mark_text(fontSize=10, limit=room).encode(text="racks:N", color=ink)
    return drawn


def _cells(by_rack: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The cells, so many in a row of a floor, and how many racks each stands for."""
    together = max(1, -(-by_rack.height // MOST_CELLS))
    per_row = NAMED_PER_ROW if has_names(by_rack) else PER_ROW
    number = pl.int_range(pl.len(), dtype=pl.Int64).over("floor") // together
    grouped = (
        by_rack.sort("floor", "rack_id")
        .with_columns(cell=number)
        .group_by("floor", "cell", maintain_order=True)
        .agg(pl.col("counted_lines", "lines").sum(), low=pl.col("rack_id").first(), high=pl.col("rack_id").last())
    )
    several = pl.when(pl.col("low") == pl.col("high")).then("low").otherwise(pl.format("{} to {}", "low", "high"))
    row = (pl.col("cell") // per_row).cast(pl.String).str.zfill(4)
    cells = grouped.select(
        "floor",
        "counted_lines",
        "lines",
        racks=several,
        progress=pl.when(pl.col("lines") > 0).then(pl.col("counted_lines") / pl.col("lines")).otherwise(0.0),
        column=pl.col("cell") % per_row,
        place=pl.concat_str("floor", pl.lit(APART), row),
    )
    return cells, together
