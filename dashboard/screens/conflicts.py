"""Conflicts: what was kept aside, both versions side by side, and settling one or many."""

import streamlit as st

from dashboard import notes, settling
from dashboard.calls import conflicts as calls
from dashboard.conflict_queue import NONE_HERE, choose, filters, queue
from dashboard.context import House, open_house
from dashboard.desk import Desk, open_desk
from dashboard.heading import live
from dashboard.markup import literal
from dashboard.messages import show as show_message
from dashboard.views.conflicts import outcome
from stockverify.vocabulary import ConflictStatus
from stockverify.wire.conflicts import Conflict


def show() -> None:
    """Draw the page."""
    house = open_house()
    desk = open_desk(house)
    answered = live(house, "Conflicts")
    notes.tell()
    found = filters(desk)
    answered()
    ticked = queue(house, found)
    if len(ticked) > 1 and desk.settles:
        with st.container(border=True):
            settling.form_for_many(desk, ticked)
    else:
        settling.ticks_lost()
    if not found.shown and not settling.looked_at():
        show_message(NONE_HERE)
        return
    _one(house, desk, found.shown)


def _one(house: House, desk: Desk, shown: list[Conflict]) -> None:
    conflict_id, following = choose(shown)
    found = calls.one(desk, conflict_id)
    with st.container(key="conflict"):
        with st.container():
            settling.conflict(house, found)
        with st.container(border=True):
            _outcome(house, desk, found, following)


def _outcome(house: House, desk: Desk, found: Conflict, following: str) -> None:
    if found.status is not ConflictStatus.PENDING and not settling.asked_for(found):
        st.markdown(f":material/check_circle: {literal(outcome(found, house.zone))}")
    elif desk.settles:
        settling.form(desk, found, following)
    else:
        st.caption("It waits for a supervisor. Auditors read and change nothing.")


if __name__ == "__main__":
    show()
