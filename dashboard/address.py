"""The shown snapshot, in the page's address and in the session, so that links work and pages agree."""

import streamlit as st

_NAME = "snapshot"


def asked() -> str:
    """The snapshot that the link or an earlier page names, or nothing."""
    return str(st.query_params.get(_NAME) or st.session_state.get(_NAME, ""))


def remember(snapshot_id: str) -> None:
    """Show this one from now on, here and on the other pages."""
    st.session_state[_NAME] = snapshot_id
    st.query_params[_NAME] = snapshot_id
