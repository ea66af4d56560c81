"""Charts of a figure over time."""

from datetime import timedelta

import altair as alt
import polars as pl

from analytics.charts.style import BLUE, plain
from analytics.figures import Figure
from analytics.glance.money import VALUE, axis_unit
from analytics.zones import zone_of

_WITH_HOURS, _WITH_SECONDS = timedelta(days=14), timedelta(hours=1)
_FORMATS = {"share": ".1%", "lines": ",d", "value": ",.2f", "seconds": ",.0f"}
MOST_POINTS = 1000


def trend(figure: Figure, points: pl.DataFrame, zone: str, currency: str = "") -> alt.Chart:
    """One figure over snapshots, as `analytics.figures.trend` gives it; at most the last MOST_POINTS.

    Times are those of the house; without their zone they are drawn as they are written, whoever looks at the chart.
    Raises UnknownZone.
    """
    local = pl.col("as_of").dt.convert_time_zone(zone_of(zone).key).dt.replace_time_zone(None)
    rows = points.tail(MOST_POINTS).with_columns(local).drop_nulls("value")
    style = _FORMATS.get(figure.unit, ",.2f")
    units = {"share": "%", VALUE: axis_unit(currency)}
    title = f"{figure.title} ({units.get(figure.unit, figure.unit)})"
    chart = alt.Chart(rows).mark_line(color=BLUE, point=alt.OverlayMarkDef(color=BLUE, size=36))
    drawn: alt.Chart = chart.encode(
        x=alt.X("as_of:T", title=f"As of ({zone})", axis=_times(rows)),
        y=alt.Y("value:Q", title=title, axis=alt.Axis(format=style, tickCount=5), scale=alt.Scale(zero=False)),
        tooltip=[
            alt.Tooltip("as_of:T", title="as of", format="%Y-%m-%d %H:%M"),
            alt.Tooltip("value:Q", format=style, title=figure.title),
            "snapshot_id",
        ],
    )
    return plain(drawn.properties(title=f"{figure.title}, snapshot by snapshot", width="container", height=220))


def _times(rows: pl.DataFrame) -> alt.Axis:
    """Days, the hours too while there are few days, and seconds within an hour."""
    span: timedelta = rows["as_of"].max() - rows["as_of"].min() if rows.height else timedelta()  # type: ignore[operator, assignment]
    style = "%H:%M:%S" if span < _WITH_SECONDS else "%-d %b, %H:%M" if span < _WITH_HOURS else "%-d %b %Y"
    return alt.Axis(format=style, tickCount=6, labelOverlap=True)
