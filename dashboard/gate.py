"""Signing in and out, and who may see what."""

from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from dashboard import single_sign_on
from dashboard.api import ServiceAway, ServiceBusy
from dashboard.context import House, forget, keeper
from dashboard.markup import literal
from dashboard.messages import Message, explain, show
from stockverify.errors import StockVerifyError, Unauthorized
from stockverify.wire.auth import User

MARK = str(Path(__file__).parent / "assets" / "mark.svg")
_LONGEST_NAME, _LONGEST_PASSWORD = 256, 1024  # a limit of the fields would be counted on the screen, also while typing
FOR_COUNTERS = Message(
    "Counting happens on a device",
    "Your account counts stock: sign in with it on your device. This dashboard is for supervisors, admins and "
    "auditors. Ask an admin if you should see it.",
    "barcode_scanner",
)


def sign_in_page(house: House) -> None:
    """The form, and why it is shown when a session ended."""
    with st.container(key="signin"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.image(MARK, width=44, alt="")  # the name stands beside it
            st.title("StockVerify", anchor=False, width="content")
        st.markdown("Stock, verified rack by rack. Sign in to see the figures.")
        if keeper().message:
            st.info(literal(keeper().message), icon=":material/info:")
        single_sign_on.offer(house)
        with st.form("sign_in", border=True):
            username = st.text_input("User name", autocomplete="username")
            password = st.text_input("Password", type="password", autocomplete="current-password")
            if st.form_submit_button("Sign in", type="primary", width="stretch"):
                _try(house, username.strip(), password)


def _try(house: House, username: str, password: str) -> None:
    if not username or not password:
        st.warning("Enter your user name and your password.", icon=":material/edit:")
        return
    if len(username) > _LONGEST_NAME or len(password) > _LONGEST_PASSWORD:
        st.warning("Nobody has a user name or a password that is so long.", icon=":material/edit:")
        return
    try:
        keeper().sign_in(house.api, username, password, datetime.now(UTC))
    except (Unauthorized, ServiceAway, ServiceBusy) as error:
        st.error(literal(error.message), icon=":material/error:")
    except StockVerifyError as error:
        show(explain(error))
    else:
        st.rerun()


def counters_page(house: House) -> None:
    """All that staff see here."""
    with st.container(key="signin"):
        show(FOR_COUNTERS)
        _sign_out_button(house)


def sidebar(house: House, user: User) -> None:
    """Who is signed in, in which zone times are shown, and the way out."""
    with st.sidebar, st.container(key="account", border=True, gap="xsmall"):
        st.markdown(f"**{literal(user.full_name or user.username)}**")
        st.caption(f"{literal(user.username)} · {user.role.value}")
        st.caption(f":material/schedule: Times in {literal(house.settings.time_zone)}")
        if user.floors:
            st.caption(f":material/visibility: Only {literal(', '.join(user.floors))}")
        _sign_out_button(house)


def _sign_out_button(house: House) -> None:
    if st.button("Sign out", icon=":material/logout:", width="stretch"):
        keeper().sign_out(house.api)
        forget()
        single_sign_on.leave()
        st.rerun()
