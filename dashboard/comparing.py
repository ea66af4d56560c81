"""Draws a comparison: counts, totals, columns, and the rows side by side."""

import polars as pl
import streamlit as st

from analytics.compare import Comparison, Kind, compare, compared
from analytics.glance.numbers import NOTHING, amount
from analytics.watching import Watch
from dashboard import drawing, waiting
from dashboard.compare_form import Asked
from dashboard.context import House
from dashboard.heading import at_hand
from dashboard.messages import Message
from dashboard.views import changes
from dashboard.views.marked import CHANGED, marked
from dashboard.views.tables import columns

PER_PAGE = 200
_IN_SIGHT = 12
_NUMBER = st.column_config.NumberColumn(format="%,d")
_TOTALS = {
    "Before": st.column_config.TextColumn(alignment="right"),
    "After": st.column_config.TextColumn(alignment="right"),
    "Change": st.column_config.TextColumn(alignment="right"),
    "Change, %": st.column_config.TextColumn(alignment="right"),
}
_WIDE = {CHANGED: st.column_config.TextColumn("Changed columns", width="medium")}
_MANNER = waiting.Manner(
    page="Compare",
    at_once=2,
    progress="Comparing the rows",
    cancelled=Message(
        "The comparison was cancelled", "Nothing of it is kept, unless somebody else waits for it too.", "cancel"
    ),
    again="Compare again",
)
_WORDS = {
    Kind.CHANGED: "Changed",
    Kind.ADDED: "Added",
    Kind.REMOVED: "Removed",
    Kind.KEY_DUPLICATE: "Key used twice",
}


def made(house: House, snapshot_id: str, asked: Asked) -> bool:
    """Whether the comparison is there; while it is not, the page shows how far it is. Raises as `compare` does."""
    lake = house.lake
    at_hand(house, asked.baseline)
    if compared(lake, asked.baseline, snapshot_id, asked.dataset, asked.tolerances):
        return True

    def make(watch: Watch) -> Comparison:
        return compare(lake, asked.baseline, snapshot_id, asked.dataset, None, asked.tolerances, watch)

    try:
        with st.spinner("Comparing …"):
            waiting.result(_MANNER, f"{lake.root} {snapshot_id} {asked}", make)
    except waiting.Unfinished as unfinished:
        unfinished.draw()
        return False
    return True


def draw(found: Comparison, currency: str) -> None:
    """How much differs: rows, totals and columns."""
    with st.container(key="counts"):
        for count in changes.counts(found):
            st.metric(count.label, amount(count.number, "lines"), help=count.help, border=True)
    with st.container(key="totals"):
        with st.container():
            st.header("Totals", anchor=False)
            totals = changes.summary(found, currency).to_arrow()
            st.dataframe(
                totals, hide_index=True, column_config=_TOTALS, height="content", alt="Totals before and after"
            )
        with st.container():
            st.header("Columns that changed", anchor=False)
            _columns(changes.column_changes(found))


def rows(found: Comparison, house: House) -> None:
    """The rows of one kind, a page at a time, with what changed marked on both sides."""
    st.header("Rows", anchor=False)
    kinds = [kind for kind in _WORDS if kind is not Kind.KEY_DUPLICATE or found.number(kind)]
    names = {kind: f"{_WORDS[kind]} ({amount(found.number(kind), 'lines')})" for kind in kinds}
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        picked = st.segmented_control(
            "Which rows", kinds, default=kinds[0], required=True, format_func=names.__getitem__, key="compared_rows"
        )
        kind = Kind(picked or kinds[0])
        total, mark = found.number(kind), f"{found.manifest.comparison_id} {kind}"
        page = st.pagination(-(-total // PER_PAGE), key=f"page {mark}") if total > PER_PAGE else 1
    _table(found, kind, (page - 1) * PER_PAGE, house)


def _columns(counts: pl.DataFrame) -> None:
    if counts.is_empty():
        st.caption("No row changed in any column.")
        return
    config = {"Rows": _NUMBER, "Within tolerance": _NUMBER}
    st.dataframe(
        counts.to_arrow(), hide_index=True, column_config=config, height="content", alt="Changed rows by column"
    )
    st.caption(f"{drawing.all_of(counts.height, 'column')} in which rows differ.")


def _table(found: Comparison, kind: Kind, skip: int, house: House) -> None:
    total = found.number(kind)
    if not total:
        st.caption(f"No {_WORDS[kind].lower()} rows.")
        return
    read, shown = found.rows(kind, skip, PER_PAGE), changes.columns(found, kind)
    looks = columns(shown, house.zone, house.currency) | _WIDE
    for name in found.key:  # what row it is stays in sight while the sides are scrolled
        looks[name] = looks[name] | {"pinned": True}
    content = marked(read, shown) if kind is Kind.CHANGED else read.select(name for name, _ in shown).to_arrow()
    st.dataframe(
        content,
        height=drawing.fitted(read.height, _IN_SIGHT),
        column_config=looks,
        hide_index=True,
        placeholder=NOTHING,
        alt=f"{_WORDS[kind]} rows",
    )
    where = f"Rows {skip + 1:,} to {skip + read.height:,} of {amount(total, 'lines')}"
    st.caption(f"{where}. Changed cells are marked." if kind is Kind.CHANGED else f"{where}.")
