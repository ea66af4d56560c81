"""Draws a comparison: counts, totals, columns, and the rows side by side."""

from zoneinfo import ZoneInfo

import polars as pl
import streamlit as st

from analytics.compare import Comparison
from dashboard import drawing
from dashboard.views import changes
from dashboard.views.numbers import amount
from stockverify.datasets import DATASETS, Type

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
            st.dataframe(changes.column_changes(found.diff).to_arrow(), hide_index=True, height="content")
    _rows(found, zone)


def _rows(found: Comparison, zone: ZoneInfo) -> None:
    dataset, diff = DATASETS[found.dataset], found.diff
    kinds = [(column.name, column.type) for column in dataset.columns]
    keys = [(name, kind) for name, kind in kinds if name in diff.key]
    parts: dict[str, tuple[pl.DataFrame, list[tuple[str, Type]]]] = {
        "Changed": (diff.changed, changes.changed_columns(diff, dataset)),
        "Added": (diff.added, kinds),
        "Removed": (diff.removed, kinds),
    }
    if diff.key_duplicates.height:
        doubled = [("before_rows", Type.INTEGER), ("after_rows", Type.INTEGER)]
        parts["Key used twice"] = diff.key_duplicates, [*keys, *doubled]
    for tab, (title, (rows, shown)) in zip(st.tabs(list(parts)), parts.items(), strict=True):
        with tab:
            drawing.table(rows.select(name for name, _ in shown).head(MOST_ROWS), shown, zone)
            st.caption(f"{drawing.part(min(rows.height, MOST_ROWS), rows.height)} {title.lower()} rows.")
