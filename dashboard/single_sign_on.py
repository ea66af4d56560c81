"""Signing in and out through an OpenID Connect provider, by Streamlit's own login.

Streamlit sends the browser there and back, checks state and nonce, and keeps what it got in a signed cookie. The
service then checks the ID token by itself and gives its own tokens for it, once (docs/decisions/0042).
"""

from datetime import UTC, datetime

import httpx
import streamlit as st

from dashboard.context import House, keeper
from dashboard.markup import literal
from stockverify.oidc import Provider, is_here, provider

_SECONDS = 3


def come_in(house: House) -> None:
    """Sign in whoever has just come back from the provider. What the service says against it is on the sign-in page."""
    found = provider(house.settings)
    if found is None or keeper().login is not None:
        return
    if token := st.user.tokens.get("id"):
        keeper().come_in(house.api, token, found.name, datetime.now(UTC))


def offer(house: House) -> None:
    """The button that leads to the provider, if there is one."""
    found = provider(house.settings)
    if found is None:
        return
    if st.button(f"Sign in with {literal(found.name)}", icon=":material/key:", width="stretch"):
        if _answers(found):
            st.login()
        else:
            st.error(
                f"{literal(found.name)} does not answer at the moment. Try again, or sign in with your user name and "
                "password.",
                icon=":material/cloud_off:",
            )
    st.caption("or with a user name and a password")


def leave() -> None:
    """Forget whom the provider vouched for, and sign out there too if it can do that. The run ends with it: another one
    would drop the word that leads the browser away."""
    if st.user.get("is_logged_in"):
        st.logout()
        st.stop()


def _answers(found: Provider) -> bool:
    """Looked at before the browser is sent there: on its way it would only see a page of a few odd words."""
    try:
        reply = httpx.get(found.metadata_url, timeout=_SECONDS, trust_env=not is_here(found.issuer))
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return reply.is_success
