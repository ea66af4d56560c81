"""Import: bring a stock list into the book, once everybody has seen what that does. Auditors see what was brought."""

import streamlit as st

from dashboard import importing, notes, uploading
from dashboard.calls import imports as calls
from dashboard.context import open_house
from dashboard.desk import open_desk
from dashboard.heading import live
from dashboard.messages import guarded


def show_page() -> None:
    """Draw the page."""
    house = open_house()
    desk = open_desk(house)
    answered = live(house, "Import")
    notes.tell()
    if import_id := st.query_params.get(importing.ADDRESS):
        with guarded("Import"):
            found = calls.one(desk, import_id)
            answered()
            importing.draw(house, desk, found)
    else:
        if desk.settles:
            uploading.form(desk)
        uploading.lists(house, desk)
        answered()


if __name__ == "__main__":
    show_page()
