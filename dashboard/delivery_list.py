"""The list of mails: its filters, its table, and which one is looked at."""

import hashlib
import math
from collections.abc import Mapping

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from analytics.glance.numbers import NOTHING, amount
from dashboard.calls import deliveries as calls
from dashboard.calls import schedules
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.drawing import fitted
from dashboard.messages import Message
from dashboard.views import deliveries as views
from stockverify.vocabulary import DeliveryKind, DeliveryState
from stockverify.wire.deliveries import Deliveries, Delivery

ADDRESS = "mail"
SCHEDULE = "schedule"
NONE_HERE = Message(
    "No mail here",
    "No mail fits these filters. Reports appear here as soon as a schedule has one to send, tests and notices too.",
    "drafts",
)
_ALL = "All"
_STATES: dict[str, DeliveryState | None] = {_ALL: None} | {words: each for each, words in views.STATES.items()}
_KINDS: dict[str, DeliveryKind | None] = {_ALL: None} | {words: each for each, words in views.KINDS.items()}
_PICKER = "mail_picker"
_IN_SIGHT = 9


def looked_at() -> str:
    """The mail that the page's address names, or nothing."""
    return str(st.query_params.get(ADDRESS, ""))


def look_at(delivery_id: str) -> None:
    """Look at this one from now on."""
    st.query_params[ADDRESS] = delivery_id


def found(desk: Desk) -> Deliveries:
    """Draw the filters and read what they let through, a page of it."""
    with st.container(key="delivery_filters"):
        first, second, third = (st.container() for _ in range(3))
    state = first.selectbox("State", _STATES, key="mail_state", on_change=_forget)
    kind = second.selectbox("Kind", _KINDS, key="mail_kind", on_change=_forget)
    with third:
        schedule = _schedule({each.schedule_id: each.name for each in schedules.listed(desk)})
    asked = calls.Asked(_STATES[state], _KINDS[kind], schedule)
    mails = calls.listed(desk, asked)
    pages = math.ceil(mails.pagination.total / calls.PAGE)
    if pages > 1:
        page = st.number_input(f"Page of {pages:,}", 1, pages, 1, key=f"mail_page_{'_'.join(map(str, asked))}")
        mails = mails if page == 1 else calls.listed(desk, asked, int(page))
    return mails


def table(house: House, mails: Deliveries) -> None:
    """Draw the table; a click on a row looks at its mail."""
    shown, zone = mails.deliveries, house.zone.key
    st.caption(_how_many(mails))
    if not shown:
        return
    mark = hashlib.sha256(" ".join(each.delivery_id for each in shown).encode()).hexdigest()[:16]
    key = f"mails_{mark}"

    def when(title: str) -> ColumnConfig:
        return st.column_config.DatetimeColumn(f"{title} ({zone})", format="D MMM YYYY, HH:mm:ss", timezone=zone)

    st.dataframe(
        views.table(shown).to_arrow(),
        column_config={
            "created_at": when("Written"),
            "state": st.column_config.TextColumn("State", width="small"),
            "recipient": st.column_config.TextColumn("To"),
            "subject": st.column_config.TextColumn("Subject", width="medium"),
            "kind": st.column_config.TextColumn("Kind", width="small"),
            "said": st.column_config.TextColumn("What came of it", width="medium"),
            "sent_at": when("Sent"),
            "next_attempt_at": when("Next attempt"),
            "attempts": st.column_config.NumberColumn("Attempts", format="%d"),
            "files": st.column_config.NumberColumn("Files", format="%d"),
        },
        hide_index=True,
        height=fitted(len(shown), _IN_SIGHT),
        placeholder=NOTHING,
        on_select=lambda: _clicked(key, shown),
        selection_mode="single-row",
        key=key,
        alt="Mails; choose a row to look at it",
    )


def choose(shown: list[Delivery]) -> str:
    """Draw the picker; returns the mail that is looked at. A link may name any."""
    names = {each.delivery_id: views.name(each) for each in shown}
    asked = looked_at() or next(iter(names), "")
    options = list(names) if asked in names else [asked, *names]
    st.session_state[_PICKER] = asked
    st.selectbox("Mail", options, format_func=lambda id_: names.get(id_, id_), key=_PICKER, on_change=_picked)
    return asked


def _schedule(names: Mapping[str, str]) -> str:
    """The schedule of the address, among all there are; one that was deleted stays in the list by its id."""
    asked = str(st.query_params.get(SCHEDULE, ""))
    options = ["", *names] if asked in names or not asked else ["", asked, *names]
    st.session_state["mail_schedule"] = asked
    st.selectbox(
        "Schedule",
        options,
        format_func=lambda id_: names.get(id_, id_) if id_ else _ALL,
        key="mail_schedule",
        on_change=_narrowed,
    )
    return asked


def _forget() -> None:
    """Other filters show the first mail that they let through."""
    st.query_params.pop(ADDRESS, None)


def _narrowed() -> None:
    _forget()
    if chosen := st.session_state["mail_schedule"]:
        st.query_params[SCHEDULE] = chosen
    else:
        st.query_params.pop(SCHEDULE, None)


def _how_many(mails: Deliveries) -> str:
    shown, page = len(mails.deliveries), mails.pagination
    if shown == page.total:
        return f"All {amount(shown, 'lines')} shown, newest first."
    first, last = amount(page.skip + 1, "lines"), amount(page.skip + shown, "lines")
    return f"{first} to {last} of {amount(page.total, 'lines')} shown, newest first."


def _clicked(key: str, shown: list[Delivery]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(shown):
        look_at(shown[rows[0]].delivery_id)


def _picked() -> None:
    look_at(st.session_state[_PICKER])
