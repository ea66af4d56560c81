"""Draws the floor, and what supervisors may do about it."""

from zoneinfo import ZoneInfo

import polars as pl
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from analytics.glance.numbers import NOTHING, amount
from dashboard import notes
from dashboard.calls import floor as calls
from dashboard.calls.floor import Picture
from dashboard.desk import Desk
from dashboard.drawing import all_of, fitted
from dashboard.messages import Message
from dashboard.views import floor as views
from stockverify.errors import Refused
from stockverify.vocabulary import RackState

_MOST = 1000  # sessions that the service gives at once
_TIME = "D MMM, HH:mm:ss"
_IN_SIGHT = 12
_DONE = "floor_done"
_RELEASE, _RECOUNT = {"held_rack": None, "release_reason": ""}, {"done_rack": None, "recount_reason": ""}
"""The fields of each form, as they are when they are empty."""
EMPTY = Message(
    "No rack is known yet",
    "Racks appear with the stock list, or when a device claims one. Import a stock list, or run `stockverify demo` "
    "to look around with sample data.",
    "shelves",
)


def draw(seen: Picture, zone: ZoneInfo) -> None:
    """Racks by state, who holds what, and who is silent."""
    with st.container(key="counts"):
        for name, number in views.by_state(seen.racks).items():
            st.metric(name, amount(number, "lines"), border=True, height="stretch")
    st.header("Who holds what", anchor=False)
    held = views.held(seen.racks, seen.people, seen.sessions, seen.at)
    _table(held, zone, "Nobody holds a rack at the moment.", "held rack")
    st.header("Silent devices", anchor=False)
    if views.nobody_can_say(seen.people):
        st.warning("Nobody can say who is here: the service cannot reach Redis.", icon=":material/help:")
    silent = views.silent(seen.people, seen.at)
    _table(silent, zone, "Every device with unfinished work is heard from.", "silent device")
    if len(seen.people) >= _MOST:
        st.caption(f"Of the newest {_MOST:,} unfinished sessions; older ones are not looked at.")
    with st.expander("Racks by floor"):
        rows = views.by_floor(seen.racks)
        st.dataframe(rows.to_arrow(), column_config={"floor": "Floor"}, hide_index=True, height="content")
        st.caption(f"{all_of(rows.height, 'floor')}, {amount(len(seen.racks), 'lines')} racks.")


def override(desk: Desk, seen: Picture) -> None:
    """Take a rack from its holder, or have a completed one counted again."""
    st.session_state.update(st.session_state.pop(_DONE, {}))
    left, right = st.columns(2)
    with left, st.form("force_release"):
        st.markdown("**Take a rack from its holder**")
        held = views.names(seen.racks, views.HELD)
        rack = st.selectbox("Rack", held, None, held.__getitem__, placeholder="Held racks", key="held_rack")
        reason = st.text_input("Reason", max_chars=1000, placeholder="Why, for the audit log", key="release_reason")
        st.caption("The rack is free at once. What its former holder still sends is kept, as conflicts.")
        if st.form_submit_button("Force release", icon=":material/lock_open:"):
            _release(desk, rack, reason.strip())
    with right, st.form("reverify"):
        st.markdown("**Have a rack counted again**")
        done = views.names(seen.racks, [RackState.COMPLETED])
        rack = st.selectbox("Rack", done, None, done.__getitem__, placeholder="Completed racks", key="done_rack")
        reason = st.text_input(
            "Reason", max_chars=1000, placeholder="Why again, for the audit log", key="recount_reason"
        )
        st.caption("It opens for another round; the counts of this round stay until the new ones come.")
        if st.form_submit_button("Ask for a recount", icon=":material/replay:"):
            _reverify(desk, rack, reason.strip())


def _release(desk: Desk, rack: str | None, reason: str) -> None:
    if rack is None or len(reason) < 3:
        notes.leave(Message("Not released", "Choose a rack and give a reason of at least three letters.", "edit"))
    else:
        try:
            _done(Message(f"Rack {rack}", calls.force_release(desk, rack, reason).message, "lock_open"), _RELEASE)
        except Refused as error:
            notes.leave(Message("Not released", error.message, "bolt"))
    st.rerun()


def _reverify(desk: Desk, rack: str | None, reason: str) -> None:
    if rack is None or len(reason) < 3:
        text = "Choose a completed rack and give a reason of at least three letters."
        notes.leave(Message("Nothing asked for", text, "edit"))
    else:
        try:
            _done(Message(f"Rack {rack}", calls.reverify(desk, rack, reason).message, "replay"), _RECOUNT)
        except Refused as error:
            notes.leave(Message("Not opened", error.message, "bolt"))
    st.rerun()


def _done(message: Message, form: dict[str, str | None]) -> None:
    """Say so, and empty the fields, which keep what was typed while it is refused."""
    notes.leave(message)
    st.session_state[_DONE] = form


def _table(rows: pl.DataFrame, zone: ZoneInfo, empty: str, noun: str) -> None:
    if rows.is_empty():
        st.caption(empty)
        return
    height = fitted(rows.height, _IN_SIGHT)
    columns = {name: config for name, config in _columns(zone).items() if name in rows.columns}
    st.dataframe(rows.to_arrow(), height=height, column_config=columns, hide_index=True, placeholder=NOTHING)
    many = noun if rows.height == 1 else f"{noun}s"
    st.caption(f"{amount(rows.height, 'lines')} {many}; times in {zone.key}.")


def _columns(zone: ZoneInfo) -> dict[str, ColumnConfig]:
    def when(title: str) -> ColumnConfig:
        return st.column_config.DatetimeColumn(title, format=_TIME, timezone=zone.key)

    def minutes(title: str) -> ColumnConfig:
        return st.column_config.NumberColumn(f"{title} (min)", format="%.1f")

    return {
        "rack": st.column_config.TextColumn("Rack"),
        "floor": st.column_config.TextColumn("Floor"),
        "state": st.column_config.TextColumn("State"),
        "holder": st.column_config.TextColumn("Who"),
        "heard": st.column_config.TextColumn("Device is"),
        "since": when("Since"),
        "last_heartbeat": when("Last heartbeat"),
        "verified": st.column_config.NumberColumn("Items verified", format="%,d"),
        "items": st.column_config.NumberColumn("Items in rack", format="%,d"),
        "pace": st.column_config.NumberColumn("Items per minute", format="%.1f"),
        "round": st.column_config.NumberColumn("Round", format="%d"),
        "queue": st.column_config.NumberColumn("Unsent records", format="%,d"),
        "device": st.column_config.TextColumn("Device"),
        "silent_minutes": minutes("Silent for"),
        "queue_minutes": minutes("Oldest unsent"),
    }
