"""Charts of what changed between two snapshots."""

from collections.abc import Mapping

import altair as alt
import polars as pl

from analytics.charts.style import BLUE, NO_NAME, amounts, first, titled
from analytics.charts.waterfall import End, Words, waterfall
from analytics.compare import Contributions
from analytics.figures import FIGURES
from analytics.glance.money import VALUE, axis_unit

_UNITS = {figure.name: (figure.title, figure.unit) for figure in FIGURES}
MOST_COLUMNS = 20


def contributions_waterfall(found: Contributions, currency: str = "") -> alt.LayerChart:
    """Why a total moved: from what it was to what it is, one step for each group that moved it, the largest first."""
    title, kind = _UNITS.get(found.total, (found.total, ""))
    unit = axis_unit(currency) if kind == VALUE else kind
    groups = {"step": [part.group or NO_NAME for part in found.parts], "amount": [part.change for part in found.parts]}
    steps = pl.DataFrame(groups, schema={"step": pl.String, "amount": pl.Float64})
    if found.other.change or found.other.groups:
        others = {"step": f"All others ({found.other.groups})", "amount": found.other.change}
        steps = pl.concat([steps, pl.DataFrame([others], schema=steps.schema)])
    by = found.by.removesuffix("_id").replace("_", " ")
    words = Words(
        title=f"What moved the total: {title}, by {by}",
        axis=f"{title} ({unit})" if unit else title,
        step=by[:1].upper() + by[1:],
        down="Down",
        up="Up",
    )
    change = found.change
    return waterfall(End("Before", change.baseline), steps, End("After", change.comparison), words)


def changes_by_column(changes: Mapping[str, int]) -> alt.Chart:
    """In how many changed rows each column differs, most first."""
    rows = pl.DataFrame(list(changes.items()), schema={"column": pl.String, "rows": pl.Int64}, orient="row")
    shown = rows.sort("rows", "column", descending=[True, False]).head(MOST_COLUMNS)
    return titled(
        alt.Chart(shown).mark_bar(color=BLUE),
        first("Changed rows, by the column that differs", MOST_COLUMNS, rows.height, "columns"),
        x=alt.X("rows:Q", title="Changed rows", axis=amounts(whole=True)),
        y=alt.Y("column:N", title="Column", sort=None),
        tooltip=["column", alt.Tooltip("rows:Q", format=",d")],
    )
