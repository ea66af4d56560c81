"""Templates and saved queries: opened in the panel, and deleted again."""

import time
from datetime import UTC, datetime
from typing import NamedTuple

import streamlit as st

from analytics.query.templates import templates
from dashboard import notes
from dashboard.calls import queries as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.explorer.draft import Draft, Opened
from dashboard.markup import literal
from dashboard.messages import Message, explain
from dashboard.times import shown
from dashboard.views.picks import picks_of
from stockverify.errors import StockVerifyError, Unauthorized
from stockverify.vocabulary import Role
from stockverify.wire.queries import SavedQuery
from stockverify.wire.reports import QuerySpec

_LISTED, _SECONDS = "explore_saved", 30.0
_BOX = "explore_open"


class Start(NamedTuple):
    """Something to begin with."""

    opened: Opened
    spec: QuerySpec
    saved_at: str = ""

    @property
    def label(self) -> str:
        """In the list."""
        origin = f"saved by {self.opened.owner}, {self.saved_at}" if self.saved_at else "template"
        return f"{self.opened.title} · {origin}"


def choose(house: House, desk: Desk, draft: Draft) -> None:
    """The list. What is chosen replaces what was picked, and the list is empty again."""
    saved, trouble = listed(desk)
    starts = [*_saved(house, saved), *_templates(house)]
    st.selectbox(
        "Start from", starts, index=None, key=_BOX, placeholder="A saved query or a template",
        format_func=lambda start: start.label, on_change=_open, args=(house, draft),
    )  # fmt: skip
    if trouble:
        st.caption(f"Saved queries cannot be listed: {literal(trouble)}")


def told(desk: Desk, draft: Draft) -> None:
    """What the picks began with, and a button for those who may delete it."""
    if (opened := draft.opened) is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        owner = f" · saved by {literal(opened.owner)}" if opened.owner else ""
        text = f" · {literal(opened.told)}" if opened.told else ""
        st.markdown(f":material/folder_open: **{literal(opened.title)}**{owner}{text}")
        if opened.query_id and _may_delete(desk, opened) and st.button("Delete", icon=":material/delete:"):
            _delete(desk, draft, opened)


def listed(desk: Desk) -> tuple[list[SavedQuery], str]:
    """Saved queries, asked for every 30 seconds at most; and why there are none, when the service does not say."""
    kept = st.session_state.get(_LISTED)
    if kept and kept[0] == desk.user.username and time.monotonic() < kept[1]:
        return kept[2], kept[3]
    found: list[SavedQuery] = []
    trouble = ""
    try:
        found = calls.saved(desk)
    except Unauthorized:
        raise
    except StockVerifyError as error:
        trouble = error.message
    st.session_state[_LISTED] = desk.user.username, time.monotonic() + _SECONDS, found, trouble
    return found, trouble


def list_anew() -> None:
    """A query was saved or deleted."""
    st.session_state.pop(_LISTED, None)


def _saved(house: House, found: list[SavedQuery]) -> list[Start]:
    return [
        Start(
            Opened(query.name, query.description, query.query_id, query.created_by),
            query.query_spec,
            shown(datetime.fromtimestamp(query.created_at, UTC), house.zone),
        )
        for query in found
    ]


def _templates(house: House) -> list[Start]:
    return [Start(Opened(each.title, each.answers), each.query_spec) for each in templates(house.zone.key)]


def _open(house: House, draft: Draft) -> None:
    start: Start | None = st.session_state[_BOX]
    st.session_state[_BOX] = None
    if start is None:
        return
    try:
        draft.open(picks_of(start.spec, house.zone), start.opened)
    except StockVerifyError as error:
        notes.leave(explain(error))


def _may_delete(desk: Desk, opened: Opened) -> bool:
    return desk.settles and (desk.user.role is Role.ADMIN or desk.user.username == opened.owner)


def _delete(desk: Desk, draft: Draft, opened: Opened) -> None:
    try:
        calls.delete(desk, opened.query_id)
    except Unauthorized:
        raise
    except StockVerifyError as error:
        notes.leave(explain(error))
    else:
        draft.opened = None
        notes.leave(
            Message("Deleted", f"The saved query “{opened.title}” is gone. Its picks are still here.", "delete")
        )
    list_anew()
    st.rerun()
