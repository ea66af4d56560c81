"""Anomalies: what scans have flagged, with the rows that prove it; recounts are asked for and flags dismissed here."""

import streamlit as st

from dashboard import flag_list, flagged, notes
from dashboard.calls import flags as calls
from dashboard.context import House, open_house
from dashboard.desk import Desk, open_desk
from dashboard.messages import show as show_message
from stockverify.wire.anomalies import KeptFlag, KeptFlags


def show() -> None:
    """Draw the page."""
    house = open_house()
    desk = open_desk(house)
    flag_list.heed_what_was_sent()
    head = st.container()
    notes.tell()
    asked, found = flag_list.filters(desk)
    with head:
        _head(house, found)
    flag_list.table(house, asked, found)
    if found.flags or flag_list.looked_at():
        _one(house, desk, found.flags)
    elif found.scan is not None:
        show_message(flag_list.NOTHING_HERE)


def _head(house: House, found: KeptFlags) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title("Anomalies", anchor=False)
        st.button("Refresh", icon=":material/refresh:", width=150)
    if found.scan is None:
        show_message(flag_list.NOT_LOOKED_YET)
    else:
        flag_list.origin(house, found.scan)


def _one(house: House, desk: Desk, flags: list[KeptFlag]) -> None:
    flag_id, following = flag_list.choose(flags)
    found = calls.one(desk, flag_id)
    with st.container(key="flag"):
        with st.container():
            flagged.flag(house, found)
        with st.container():
            flagged.said(house, desk, found)
            if desk.settles and (found.dismissed is None or flagged.asked_for(found)):
                flagged.forms(desk, found, following)
            elif not desk.settles:
                st.caption("Auditors read and change nothing.")


if __name__ == "__main__":
    show()
