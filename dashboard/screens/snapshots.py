"""Snapshots: the rows of the one that is shown, and the library of all, with where each comes from."""

import streamlit as st

from dashboard import library, linked, notes, one_snapshot, snapshot_rows
from dashboard.context import open_house
from dashboard.desk import open_desk
from dashboard.heading import heading, live
from dashboard.messages import guarded


def show() -> None:
    """Draw the page. The choice of the part stands below the head, which depends on it."""
    house = open_house()
    head, parts = st.container(), [one_snapshot.ROWS, one_snapshot.LIBRARY]
    st.session_state.setdefault(one_snapshot.PART, parts[bool(st.query_params.get(library.ADDRESS))])
    part = st.segmented_control("Part", parts, required=True, key=one_snapshot.PART, label_visibility="collapsed")
    if part == one_snapshot.LIBRARY:
        with head:
            answered = live(house, "Snapshots")
            notes.tell()
        with guarded("Snapshots"):
            library.draw(house, open_desk(house))
            answered()
        return
    with head:
        choice = heading(house, "Snapshots")
    if choice is not None:
        with guarded("Snapshots"):
            snapshot_rows.draw(house, choice.freeze.snapshot_id, linked.question())


if __name__ == "__main__":
    show()
