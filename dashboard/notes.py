"""What became of something that a person did, shown once, in its place on the page that is drawn after it."""

import streamlit as st

from dashboard.messages import Message, show

_KEY = "note"


def leave(message: Message, place: str = "") -> None:
    """Show this on the next run; at the top of the page, or in a place that has a name."""
    st.session_state[f"{_KEY} {place}"] = message


def tell(place: str = "") -> None:
    """Show what was left there, if anything was."""
    message: Message | None = st.session_state.pop(f"{_KEY} {place}", None)
    if message is not None:
        show(message)
