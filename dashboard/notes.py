"""What became of something that a person did, shown once, at the top of the page that is drawn after it."""

import streamlit as st

from dashboard.messages import Message, show

_KEY = "note"


def leave(message: Message) -> None:
    """Show this on the next run."""
    st.session_state[_KEY] = message


def tell() -> None:
    """Show what was left, if anything was."""
    message: Message | None = st.session_state.pop(_KEY, None)
    if message is not None:
        show(message)
