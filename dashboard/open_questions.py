"""What waits for a person at this moment: live, unlike the figures of a snapshot beside it, and marked so."""

import streamlit as st

from dashboard.api import ServiceAway, ServiceBusy
from dashboard.calls import conflicts as conflict_calls
from dashboard.calls import flags as flag_calls
from dashboard.context import House
from dashboard.desk import Desk, open_desk
from dashboard.heading import as_of
from dashboard.markup import literal
from dashboard.messages import guarded
from dashboard.views import conflicts, flags


def draw(house: House) -> None:
    """A line with ways to the pages that answer them; while the service is away it says so, and the page stands."""
    with guarded("What waits"), st.container(horizontal=True, vertical_alignment="center", key="open_questions"):
        desk = open_desk(house)
        try:
            _ways(desk)
        except (ServiceAway, ServiceBusy) as error:
            st.caption(f"Nobody can say what waits just now. {literal(error.message)}")
        else:
            st.markdown(as_of(house), width="content")


def _ways(desk: Desk) -> None:
    """Flags are about the whole house: whoever sees some floors only is not asked about them."""
    waiting = conflicts.waiting(conflict_calls.stats(desk).pending)
    flagged = "" if desk.user.floors else flags.to_look_at(flag_calls.still_open(desk))
    st.page_link("screens/conflicts.py", label=waiting, icon=":material/call_split:")
    if flagged:
        st.page_link("screens/anomalies.py", label=flagged, icon=":material/flag:")
