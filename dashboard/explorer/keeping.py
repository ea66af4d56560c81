"""Saving a query, sharing it by its address, and keeping its rows as a report."""

from datetime import UTC, datetime

import streamlit as st

from analytics.glance.numbers import amount
from dashboard import address, notes
from dashboard.calls import queries as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.explorer import opening
from dashboard.explorer.draft import Draft, Opened
from dashboard.messages import Message, explain, show
from dashboard.times import shown
from dashboard.views import exploring
from dashboard.views.exploring import State
from stockverify import page_links
from stockverify.errors import StockVerifyError, Unauthorized
from stockverify.wire.queries import SaveQuery
from stockverify.wire.reports import CreateSnapshot, Snapshot

_PLACE = "explore_kept"
_MOST = 200  # characters of a name, as the service takes them


def draw(house: House, desk: Desk, draft: Draft, state: State, snapshot_id: str) -> None:
    """What can be done with a query that can be asked; those who only read can share it."""
    with st.container(horizontal=True):
        if desk.settles:
            with st.popover("Save", icon=":material/bookmark_add:", key=f"explore_save_{draft.done}"):
                _save(desk, draft, state)
        with st.popover("Share", icon=":material/link:"):
            _share(house, state, snapshot_id)
        if desk.settles:
            with st.popover("Keep as report", icon=":material/keep:", key=f"explore_keep_{draft.done}"):
                _keep(house, desk, draft, state)
    notes.tell(_PLACE)


def _save(desk: Desk, draft: Draft, state: State) -> None:
    with st.form(f"explore_save form {draft.done}", border=False):
        name = st.text_input("Name", max_chars=_MOST, placeholder="Weekly shrinkage").strip()
        told = st.text_input("What it answers", max_chars=1000, placeholder="Where is most missing?").strip()
        sent = st.form_submit_button("Save the query", type="primary")
    if sent and not name:
        st.warning("Give it a name.", icon=":material/edit:")
    elif sent:
        _try_to_save(desk, draft, SaveQuery(name=name, description=told, query_spec=state.spec))


def _try_to_save(desk: Desk, draft: Draft, wanted: SaveQuery) -> None:
    try:
        kept = calls.save(desk, wanted)
    except Unauthorized:
        raise
    except StockVerifyError as error:
        show(explain(error))
        return
    draft.opened = Opened(kept.name, kept.description, kept.query_id, kept.created_by)
    opening.list_anew()
    _done(draft, Message("Saved", f"Everybody finds “{kept.name}” under “Start from”.", "bookmark_added"))


def _share(house: House, state: State, snapshot_id: str) -> None:
    link = exploring.link(house.settings.dashboard_link(), snapshot_id, state)
    st.code(link, language=None, wrap_lines=True)
    st.caption(f"Whoever may sign in here sees this question on {'live data' if state.live else 'this snapshot'}.")
    if len(link) > page_links.LONGEST:
        st.warning(
            f"This link has {len(link):,} characters, and some mail programs cut one off after "
            f"{page_links.LONGEST:,}. Better save the query, and tell its name.",
            icon=":material/content_cut:",
        )


def _keep(house: House, desk: Desk, draft: Draft, state: State) -> None:
    st.markdown("Takes a snapshot **now** and keeps the rows of this question on it, as a report.")
    with st.form(f"explore_keep form {draft.done}", border=False):
        name = st.text_input("Name of the report", max_chars=_MOST, placeholder="Shrinkage before the recount").strip()
        pinned = st.checkbox("Pin it: keep it whatever the rules of retention say", value=True)
        sent = st.form_submit_button("Keep the rows", type="primary")
    if sent and not name:
        st.warning("Give it a name.", icon=":material/edit:")
    elif sent:
        with st.spinner("Taking a snapshot and keeping the rows …", show_time=True):
            _try_to_keep(house, desk, draft, CreateSnapshot(name=name, query_spec=state.spec), pinned)


def _try_to_keep(house: House, desk: Desk, draft: Draft, wanted: CreateSnapshot, pinned: bool) -> None:
    try:
        report = calls.keep(desk, wanted)
        if pinned:
            calls.pin(desk, report.snapshot_id)
    except Unauthorized:
        raise
    except StockVerifyError as error:
        show(explain(error))
        return
    draft.live = False
    address.remember(report.freeze_id)
    _done(draft, _kept(house, report, pinned))


def _done(draft: Draft, message: Message) -> None:
    """Say it below the buttons, where whoever pressed one looks; the form that was open is closed."""
    draft.done += 1
    notes.leave(message, _PLACE)
    st.rerun()


def _kept(house: House, report: Snapshot, pinned: bool) -> Message:
    as_of = shown(datetime.fromtimestamp(report.summary.as_of, UTC), house.zone)
    told = (
        f"{report.name} ({report.snapshot_id}) keeps {amount(report.row_count, 'lines')} rows as of {as_of}"
        f"{', and is pinned' if pinned else ''}. This page now shows the snapshot that it was made of."
    )
    return Message("Kept as a report", told, "push_pin")
