"""Draws a comparison: counts, totals, columns, and the rows side by side."""

from zoneinfo import ZoneInfo

import streamlit as st

from analytics.compare import Comparison, Kind
from analytics.glance.numbers import amount
from dashboard import drawing
from dashboard.views import changes

MOST_ROWS = 1000
_TOTALS = {
    "Before": st.column_config.TextColumn(alignment="right"),
    "After": st.column_config.TextColumn(alignment="right"),
    "Change": st.column_config.TextColumn(alignment="right"),
    "Change, %": st.column_config.TextColumn(alignment="right"),
}


def draw(found: Comparison, zone: ZoneInfo) -> None:
    """All of it."""
    with st.container(key="counts"):
        for count in changes.counts(found):
            st.metric(count.label, amount(count.number, "lines"), help=count.help, border=True)
    with st.container(key="totals"):
        with st.container():
            st.subheader("Totals", anchor=False)
            totals = changes.summary(found).to_arrow()
            st.dataframe(totals, hide_index=True, column_config=_TOTALS, height="content")
        with st.container():
            st.subheader("Columns that changed", anchor=False)
            st.dataframe(changes.column_changes(found).to_arrow(), hide_index=True, height="content")
    _rows(found, zone)


def _rows(found: Comparison, zone: ZoneInfo) -> None:
    parts = {"Changed": Kind.CHANGED, "Added": Kind.ADDED, "Removed": Kind.REMOVED}
    if found.number(Kind.KEY_DUPLICATE):
        parts["Key used twice"] = Kind.KEY_DUPLICATE
    for tab, (title, kind) in zip(st.tabs(list(parts)), parts.items(), strict=True):
        with tab:
            rows, shown = found.rows(kind, limit=MOST_ROWS), changes.columns(found, kind)
            drawing.table(rows.select(name for name, _ in shown), shown, zone)
            st.caption(f"{drawing.part(rows.height, found.number(kind))} {title.lower()} rows.")
