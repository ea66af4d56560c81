"""Which chart fits the groups of a query, by their shape: days make lines, two keys a map, all else bars."""

from datetime import date
from typing import NamedTuple

import altair as alt
import polars as pl

from analytics import charts
from analytics.glance.money import axis_unit, is_money
from analytics.glance.words import heading
from analytics.query import Query
from analytics.query.model import Function, Key, Period
from stockverify.datasets import Type

MOST_GROUPS = 5000
MOST_BARS = 40
MOST_ROWS, MOST_COLUMNS = 40, 40
_BAR, _LINES = 24, 300
_NUMERIC = (Type.FLOAT, Type.INTEGER)


class Drawing(NamedTuple):
    """A chart, its height in rows of so many pixels, and what it leaves out."""

    chart: alt.Chart
    rows: int
    step: int
    left_out: str = ""


def figures(query: Query) -> list[str]:
    """What can be drawn: the numbers of the groups."""
    return [measure.name for measure in query.measures if measure.type in _NUMERIC]


def telling(query: Query) -> str:
    """The figure that a chart begins with: the one that groups are sorted by, which is what the question is about, or
    else the first."""
    known = figures(query)
    return next((order.name for order in query.order if order.name in known), known[0])


def why_none(query: Query, groups: int) -> str:
    """Why there is no chart, in a sentence; nothing when there is one."""
    if not query.grouped:
        return "Rows are not drawn one by one: group them, and the chart fits the groups."
    if groups > MOST_GROUPS:
        return f"{groups:,} groups are too many for a chart (at most {MOST_GROUPS:,}): group by less, or filter more."
    if not figures(query):
        return "The groups have no number to draw: pick a figure such as a count or a sum."
    if not query.group_by:
        return "It is one row of figures; group it by something to see a chart."
    return "" if groups else "There is nothing to draw: no row passes the filters."


def fitting(query: Query, groups: pl.DataFrame, figure: str, currency: str = "") -> Drawing:
    """The chart of a figure. Call it only when there is one (why_none)."""
    measure = heading(figure) + unit_of(query, figure, currency)
    title = f"{heading(figure)} by {' and '.join(heading(key.name).lower() for key in query.group_by)}"
    if len(query.periods) == 1 and len(query.group_by) < 3:
        return _lines(title, measure, query, groups, figure)
    if len(query.group_by) == 2 and _is_dense(query, groups):
        return _grid(title, measure, query, groups, figure)
    return _bars(title, measure, query, groups, figure)


def unit_of(query: Query, figure: str, currency: str = "") -> str:
    """The unit of a figure, in brackets; nothing for calculated ones, of which nobody knows it."""
    measure = next(measure for measure in query.measures if measure.name == figure)
    if measure.function in (Function.COUNT, Function.COUNT_DISTINCT):
        return ""
    if is_money(measure.column.name):
        return f" ({axis_unit(currency)})"
    return " (units)" if measure.column.name.endswith("_qty") else ""


def words(key: Key) -> str:
    """A key as the name of an axis; days name their zone."""
    if isinstance(key, Period):
        return f"{heading(key.column.name)}, by {key.by} ({key.zone})"
    return heading(key.name)


def _bars(title: str, measure: str, query: Query, groups: pl.DataFrame, figure: str) -> Drawing:
    shown = groups.head(MOST_BARS)
    names = [" · ".join(name for name in row if name) or None for row in _names(query, shown).iter_rows()]
    cut = f"The chart shows the first {shown.height} of {groups.height:,} groups, in their order."
    chart = charts.bars(
        title,
        ", ".join(words(key) for key in query.group_by),
        measure,
        list(zip(names, _numbers(shown, figure), strict=True)),
    )
    return Drawing(chart, shown.height, _BAR, cut if shown.height < groups.height else "")


def _is_dense(query: Query, groups: pl.DataFrame) -> bool:
    """Whether a map of both keys would be mostly full: racks of floors, say, would leave it mostly empty."""
    rows, columns = (groups[key.name].n_unique() for key in query.group_by)
    return rows <= MOST_ROWS and 1 < columns <= MOST_COLUMNS and 2 * groups.height >= rows * columns


def _grid(title: str, measure: str, query: Query, groups: pl.DataFrame, figure: str) -> Drawing:
    down, across = query.group_by
    cells = [
        (*pair, value) for pair, value in zip(_names(query, groups).iter_rows(), _numbers(groups, figure), strict=True)
    ]
    chart = charts.grid(title, words(down), words(across), measure, cells)
    return Drawing(chart, groups[down.name].n_unique() + 6, _BAR)


def _lines(title: str, measure: str, query: Query, groups: pl.DataFrame, figure: str) -> Drawing:
    [period] = query.periods
    others = [key for key in query.group_by if key is not period]
    by = others[0].name if others else None
    dated = groups.drop_nulls(period.name)
    kept, left_out = _largest(dated, by, figure) if by else (dated, "")
    names = _text(kept, by).to_list() if by else [None] * kept.height
    days = [date.fromisoformat(day) for day in kept[period.name]]
    points = sorted(zip(days, names, _numbers(kept, figure), strict=True), key=lambda point: point[0])
    undated = groups.height - dated.height
    notes = [left_out, f"Groups without a date ({undated}) are in the table only." if undated else ""]
    chart = charts.lines(title, words(period), heading(by) if by else None, measure, points)
    return Drawing(chart, 1, _LINES, " ".join(note for note in notes if note))


def _largest(groups: pl.DataFrame, by: str, figure: str) -> tuple[pl.DataFrame, str]:
    """The groups with the largest totals, as many as have a colour; what is left out is said."""
    totals = groups.group_by(by).agg(pl.col(figure).abs().sum()).sort(figure, by, descending=[True, False])
    if totals.height <= charts.MOST_LINES:
        return groups, ""
    kept = totals.head(charts.MOST_LINES)
    said = f"The chart shows the {charts.MOST_LINES} largest of {totals.height:,} lines; the table has all."
    return groups.join(kept.select(by), on=by, how="semi", nulls_equal=True, maintain_order="left"), said


def _names(query: Query, groups: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame([_text(groups, key.name) for key in query.group_by])


def _text(groups: pl.DataFrame, name: str) -> pl.Series:
    column = groups[name]
    if column.dtype == pl.Boolean:
        return column.replace_strict({True: "yes", False: "no"}, return_dtype=pl.String)
    return column.cast(pl.String)


def _numbers(groups: pl.DataFrame, figure: str) -> list[float | None]:
    return groups[figure].cast(pl.Float64).to_list()
