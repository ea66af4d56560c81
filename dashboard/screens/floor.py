"""Live floor: who counts where at this moment, redrawn by itself."""

import streamlit as st

from dashboard import floor, notes
from dashboard.api import ServiceAway, ServiceBusy
from dashboard.calls.floor import Picture, picture
from dashboard.context import House, open_house
from dashboard.desk import Desk, open_desk
from dashboard.heading import as_of, stale
from dashboard.messages import explain, guarded
from dashboard.messages import show as show_message

# Seconds between two looks: a claim is seen soon, and twenty open pages ask the service twenty times a second.
EVERY = 3.0
_SEEN = "floor_seen"


def show() -> None:
    """Draw the page."""
    st.title("Live floor", anchor=False)
    notes.tell()
    _now()


@st.fragment(run_every=EVERY)
def _now() -> None:
    """Runs by itself, without the rest of the app, so it guards itself too."""
    with st.container(key="calm_floor"), guarded("Live floor"):
        house = open_house()
        desk = open_desk(house)
        seen = _look(house, desk)
        if seen is not None and not seen.racks:
            show_message(floor.EMPTY)
        elif seen is not None:
            floor.draw(seen, house.zone)
            if desk.settles:
                floor.override(desk, seen)


def _look(house: House, desk: Desk) -> Picture | None:
    """The floor now; while the service does not answer, as this session saw it last, and marked so."""
    try:
        seen = picture(desk)
    except (ServiceAway, ServiceBusy) as error:
        show_message(explain(error))
        last: Picture | None = st.session_state.get(_SEEN)
        if last is not None:
            st.markdown(stale(house, last.at))
        return last
    st.session_state[_SEEN] = seen
    st.markdown(f"{as_of(house)} · looks again every {EVERY:g} seconds")
    return seen


if __name__ == "__main__":
    show()
