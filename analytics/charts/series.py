"""Charts of groups over time, and of groups by two keys, for tables of which nothing more is known."""

from collections.abc import Sequence
from datetime import date, timedelta

import altair as alt
import polars as pl

from analytics.charts.style import BLUE, GREEN, LEGEND, NEUTRAL, NO_NAME, ORANGE, VERMILLION, amounts, plain

Point = tuple[date, str | None, float | None]
Cell = tuple[str | None, str | None, float | None]
_COLOURS = [BLUE, VERMILLION, GREEN, ORANGE, "#56B4E9", "#CC79A7", "#882255", NEUTRAL]
MOST_LINES = len(_COLOURS)
"""So many colours stay apart for everybody; each line has a shape of points of its own as well."""
_DAY = "%-d %b %Y"
_SEVERAL_DAYS = timedelta(days=7)


def lines(title: str, when: str, by: str | None, measure: str, points: Sequence[Point]) -> alt.Chart:
    """A line over time; with `by`, one for each of at most MOST_LINES groups."""
    rows = pl.DataFrame(
        [(day, name or NO_NAME, value) for day, name, value in points],
        schema={"day": pl.Date, "group": pl.String, "value": pl.Float64},
        orient="row",
    ).with_columns(pl.col("day").cast(pl.Datetime("ms")))  # a date alone would be midnight in London
    chart = alt.Chart(rows).mark_line(color=BLUE, point=alt.OverlayMarkDef(size=42, filled=True))
    encodings = {
        "x": alt.X("day:T", title=when, axis=_days(rows)),
        "y": alt.Y("value:Q", title=measure, axis=amounts(), scale=alt.Scale(zero=True)),
        "tooltip": [
            alt.Tooltip("day:T", title=when, format="%Y-%m-%d"),
            *([alt.Tooltip("group:N", title=by)] if by else []),
            alt.Tooltip("value:Q", title=measure, format=",.2f"),
        ],
    }
    if by:
        encodings["color"] = alt.Color("group:N", title=by, sort=None, scale=alt.Scale(range=_COLOURS), legend=LEGEND)
        encodings["shape"] = alt.Shape("group:N", title=by, sort=None, legend=LEGEND)
    drawn: alt.Chart = chart.encode(**encodings)
    return plain(drawn.properties(title=title, width="container", height=300))


def grid(title: str, down: str, across: str, measure: str, cells: Sequence[Cell]) -> alt.Chart:
    """A heat map: a row for each group of the first key, a column for each of the second, in the order given."""
    rows = pl.DataFrame(
        [(first or NO_NAME, second or NO_NAME, value) for first, second, value in cells],
        schema={"down": pl.String, "across": pl.String, "value": pl.Float64},
        orient="row",
    )
    lowest = rows["value"].min()
    signed = isinstance(lowest, float) and lowest < 0
    # Purple and orange stay apart for everybody, and 0 is the pale middle between them.
    scale = alt.Scale(scheme="purpleorange", domainMid=0) if signed else alt.Scale(scheme="blues")
    drawn: alt.Chart = (
        alt.Chart(rows)
        .mark_rect(stroke="#808080", strokeWidth=0.4)
        .encode(
            x=alt.X("across:N", title=across, sort=None, axis=alt.Axis(labelAngle=-40, labelLimit=120)),
            y=alt.Y("down:N", title=down, sort=None, axis=alt.Axis(labelLimit=200)),
            color=alt.Color("value:Q", title=measure, scale=scale, legend=alt.Legend(orient="top", format=",~r")),
            tooltip=[
                alt.Tooltip("down:N", title=down),
                alt.Tooltip("across:N", title=across),
                alt.Tooltip("value:Q", title=measure, format=",.2f"),
            ],
        )
    )
    return plain(drawn.properties(title=title, width="container", height=alt.Step(24)))


def _days(rows: pl.DataFrame) -> alt.Axis:
    """Each day has a mark while there are few; never hours, which the days have not."""
    span = rows["day"].max() - rows["day"].min() if rows.height else timedelta()  # type: ignore[operator]
    few = isinstance(span, timedelta) and span < _SEVERAL_DAYS
    return alt.Axis(
        format=_DAY,
        labelOverlap=True,
        **({"values": rows["day"].unique().sort().to_list()} if few else {"tickCount": 8}),
    )
