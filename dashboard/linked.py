"""A question that came with a link, as those in mails do: shown as it was asked, until the reader asks another one."""

import msgspec
import streamlit as st

from analytics.query import checked
from dashboard import address
from dashboard.messages import explain, show
from stockverify import page_links
from stockverify.errors import BadInput
from stockverify.wire.reports import QuerySpec

_EXPLORE = "screens/explore.py"


def question() -> QuerySpec | None:
    """Draw the question of the link, if there is one that can be asked; of another one, why it cannot."""
    text = st.query_params.get(page_links.QUESTION)
    if not text:
        return None
    try:
        spec = page_links.question(text)
        checked(spec)
    except BadInput as error:
        show(explain(error))
        _button()
        return None
    with st.container(border=True, key="linked"):
        st.markdown("**The question of the link**")
        st.code(msgspec.json.format(page_links.written(spec), indent=1).decode(), language="json", height=180)
        with st.container(horizontal=True, vertical_alignment="center"):
            _button()
            here = {page_links.SNAPSHOT: address.asked(), page_links.QUESTION: text}
            st.page_link(_EXPLORE, label="Change it in Explore", icon=":material/query_stats:", query_params=here)
    return spec


def _button() -> None:
    st.button("Ask something else", on_click=_forget, icon=":material/edit:")


def _forget() -> None:
    st.query_params.pop(page_links.QUESTION, None)
