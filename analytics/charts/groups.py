"""A plain chart of any groups, for tables of which nothing more is known."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from analytics.charts.style import APART, BLUE, NO_NAME, amounts, label_of, titled


def bars(title: str, by: str, measure: str, groups: Sequence[tuple[str | None, float | None]]) -> alt.Chart:
    """One bar for each group, in the order given. Names of columns and groups are data here, and never words of the
    chart's language."""
    shown = [(group or NO_NAME, value) for group, value in groups]
    rows = pl.DataFrame(
        [(f"{number:04}{APART}{group}", group, value) for number, (group, value) in enumerate(shown)],
        schema={"place": pl.String, "group": pl.String, "value": pl.Float64},
        orient="row",
    )
    return titled(
        alt.Chart(rows).mark_bar(color=BLUE),
        title,
        x=alt.X("value:Q", title=measure, axis=amounts()),
        y=alt.Y("place:N", title=by, sort=None, axis=alt.Axis(labelExpr=label_of(1), labelLimit=200)),
        tooltip=["group", alt.Tooltip("value:Q", format=",.2f")],
    )
