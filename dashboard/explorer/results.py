"""Draws what a query gave: its chart, its rows, and the way to a file."""

import streamlit as st

from analytics.glance.numbers import amount
from analytics.glance.words import heading
from dashboard import drawing, exporting
from dashboard.context import House
from dashboard.explorer import widgets
from dashboard.explorer.answers import Answer
from dashboard.explorer.draft import Draft
from dashboard.markup import literal
from dashboard.times import shown
from dashboard.views import charting
from stockverify.wire.exports import CreateExport
from stockverify.wire.reports import QuerySpec

_STEM = "explore"


def chart(draft: Draft, answer: Answer, currency: str) -> None:
    """The chart that fits, or why there is none."""
    if why := charting.why_none(answer.query, answer.total):
        st.caption(f":material/bar_chart_off: {why}")
        return
    if answer.groups is None:
        return
    figures = charting.figures(answer.query)
    figure = _figure(draft, figures, charting.telling(answer.query))
    drawn = charting.fitting(answer.query, answer.groups, figure, currency)
    drawing.chart(drawn.chart, drawn.rows, drawn.step)
    if drawn.left_out:
        st.caption(drawn.left_out)


def rows(house: House, answer: Answer) -> None:
    """One page of them, and how many there are."""
    what = "groups" if answer.query.grouped else "rows"
    first = answer.before + 1 if answer.page.height else 0
    last, total = answer.before + answer.page.height, amount(answer.total, "lines")
    more = f"more than {total}; narrow the filters, or ask a snapshot for all of them" if answer.cut else total
    st.caption(f"Showing {what} {first:,} to {last:,} of {more}{literal(_counted(house, answer))}.")
    drawing.table(answer.page, list(answer.query.results()), house, most_rows=15)


def files(house: House, answer: Answer, spec: QuerySpec) -> None:
    """A file of all rows. Live ones have no snapshot that a file could name."""
    st.header("Export", anchor=False)
    if not answer.snapshot_id:
        st.caption(
            "Files are made of snapshots, so that every number in them names where it comes from. Keep these rows as a "
            "report, or switch to a snapshot, and export that."
        )
        return
    exporting.panel(
        house, _STEM, lambda kind: CreateExport(format=kind, snapshot_id=answer.snapshot_id, query_spec=spec)
    )


def _counted(house: House, answer: Answer) -> str:
    """When the rows were counted, if that was not when they were read, as far as anybody can see."""
    if answer.counted_at is None:
        return ""
    counted, read = (shown(each, house.zone) for each in (answer.counted_at, answer.as_of))
    return f", counted at {counted}" if counted != read else ""


def _figure(draft: Draft, figures: list[str], telling: str) -> str:
    """Which figure the chart shows; the address keeps it when it is not the one that tells most."""
    if len(figures) == 1:
        draft.figure = ""
        return figures[0]
    seed = draft.figure if draft.figure in figures else telling
    place = st.container()
    chosen = widgets.one(place, "The chart shows", figures, draft.key("figure"), seed, format_func=heading) or telling
    draft.figure = "" if chosen == telling else chosen
    return chosen
