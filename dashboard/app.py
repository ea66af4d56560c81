"""The Streamlit entry point: who is it, where do they want to go, and nobody sees a traceback."""

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import streamlit as st

from dashboard import gate, single_sign_on
from dashboard.context import House, forget_others, keeper, open_house
from dashboard.login import READERS
from dashboard.messages import Message, guarded, show
from stockverify.vocabulary import Role
from stockverify.wire.auth import User

_HERE = Path(__file__).parent

_AUDITS = (Role.ADMIN, Role.AUDITOR)

# What they show is for people without a scope (ingest/scopes/rules.py).
_OF_ALL_FLOORS = frozenset({"anomalies", "schedules", "deliveries", "imports"})
_FOR_ALL_FLOORS = Message(
    "Not allowed",
    "This page is about the whole house, and your account sees some floors only: those beside the menu. The other "
    "pages show your floors.",
    "visibility_off",
)

# Not in a folder called `pages`: Streamlit would run its files by address before anybody has signed in.
# One list: in sections, as Streamlit draws them, screen readers find no list at all.
_SCREENS = (
    ("Overview", "overview", ":material/space_dashboard:", READERS),
    ("Live floor", "floor", ":material/sensors:", READERS),
    ("Conflicts", "conflicts", ":material/call_split:", READERS),
    ("Anomalies", "anomalies", ":material/flag:", READERS),
    ("Explore", "explore", ":material/query_stats:", READERS),
    ("Snapshots", "snapshots", ":material/table_view:", READERS),
    ("Compare", "compare", ":material/compare_arrows:", READERS),
    ("Export", "export", ":material/download:", READERS),
    ("Schedules", "schedules", ":material/event_repeat:", READERS),
    ("Deliveries", "deliveries", ":material/outgoing_mail:", READERS),
    ("Import", "imports", ":material/upload_file:", READERS),
    ("Devices and users", "people", ":material/group:", _AUDITS),
    ("Health", "health", ":material/monitor_heart:", READERS),
)


def main() -> None:
    """Draw one run of one session."""
    st.set_page_config(page_title="StockVerify", page_icon=gate.MARK, layout="wide")
    st.html(_HERE / "assets" / "style.css")
    with guarded("StockVerify"):
        house = open_house()
        keeper().renew(house.api, datetime.now(UTC))
        single_sign_on.come_in(house)
        forget_others()
        _enter(house)


def _enter(house: House) -> None:
    login = keeper().login
    reads = login is not None and login.user.role in READERS
    # All pages are known before signing in too, so that a link leads to its page once the person is signed in.
    pages = _pages(login.user if login else None)
    page = st.navigation(pages, position="sidebar" if reads else "hidden", expanded=True)
    # In a slot of its own the form is gone as soon as the person is in, not only when the first page is complete.
    door = st.empty()
    if login is None:
        with door.container():
            gate.sign_in_page(house)
        # The form is in sight already; while the first reader types, a new process loads what pages need (3 s).
        import_module("dashboard.screens.overview")
    elif not reads:
        with door.container():
            gate.counters_page(house)
    else:
        st.set_page_config(page_title=f"{page.title} · StockVerify")
        st.logo(str(_HERE / "assets" / "wordmark.svg"), size="large", icon_image=gate.MARK)
        gate.sidebar(house, login.user)
        with guarded(page.title):
            _run(page, login.user)


def _run(page: st.Page, user: User) -> None:
    """What the service refuses to somebody with a scope is said at once, and not after a form was filled in."""
    if user.floors and page.url_path in _OF_ALL_FLOORS:
        st.title(page.title, anchor=False)
        show(_FOR_ALL_FLOORS)
    else:
        page.run()


def _pages(user: User | None) -> list[st.Page]:
    """Those that somebody may not read are not offered; a link to one leads there, and the service says no."""
    return [
        st.Page(
            _HERE / "screens" / f"{name}.py",
            title=title,
            icon=icon,
            url_path=name,
            default=name == "overview",
            visibility="visible" if user and _offered(name, roles, user) else "hidden",
        )
        for title, name, icon, roles in _SCREENS
    ]


def _offered(name: str, roles: tuple[Role, ...], user: User) -> bool:
    return user.role in roles and not (user.floors and name in _OF_ALL_FLOORS)


if __name__ == "__main__":
    main()
