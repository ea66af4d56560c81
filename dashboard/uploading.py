"""Draws the form that uploads a stock list, and the lists that were uploaded."""

import streamlit as st

from analytics.glance.numbers import NOTHING, amount
from dashboard import importing
from dashboard.calls import imports as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.drawing import all_of, fitted
from dashboard.messages import guarded
from dashboard.views import imports as views
from dashboard.views.tables import column
from stockverify.datasets import Type

MOST_MEGABYTES = 32
_NEEDED = "A CSV file or an Excel workbook (xlsx), with columns for the rack, the item code and the book quantity."
_SAFE = "Nothing is written before you have seen what the list would change, and which rows are bad."


def form(desk: Desk) -> None:
    """Choose a file and send it."""
    with st.form("upload", clear_on_submit=True), guarded("Upload"):
        file = st.file_uploader("Stock list", max_upload_size=MOST_MEGABYTES)
        if st.form_submit_button("Check this list", type="primary", icon=":material/upload_file:") and file:
            with st.spinner("Checking the list …", show_time=True):
                importing.look_at(calls.upload(desk, file.name, file.getvalue()).import_id)
            st.rerun()
        st.caption(f"{_NEEDED} {_SAFE}")


def lists(house: House, desk: Desk) -> None:
    """Those that were uploaded, to go on with one."""
    found = calls.listed(desk)
    st.header("Uploaded lists", anchor=False)
    if not found:
        st.caption("No list was uploaded so far. `stockverify import` brings in lists of any size, without this page.")
        return
    rows = views.listed(found)
    columns = importing.LISTS | {"created_at": column("uploaded_at", Type.INSTANT, house.zone)}
    picked = st.dataframe(
        rows.to_arrow(),
        column_config=columns,
        hide_index=True,
        height=fitted(rows.height, 12),
        placeholder=NOTHING,
        on_select="rerun",
        selection_mode="single-row",
        key="import_lists",
    )
    st.caption(f"{_how_many(rows.height)} Tick one to {'go on with' if desk.settles else 'see'} it.")
    if chosen := picked.selection.rows:
        importing.look_at(rows["import_id"][chosen[0]])
        st.rerun()


def _how_many(shown: int) -> str:
    if shown >= calls.MOST_LISTS:
        return f"The newest {amount(shown, 'lines')} shown."
    return f"{all_of(shown, 'list')}, newest first."
