"""The list of schedules: its filters, its table, and which one is looked at."""

import hashlib
from typing import NamedTuple

import streamlit as st

from analytics.glance.numbers import NOTHING, amount
from dashboard.calls import schedules as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.drawing import fitted
from dashboard.messages import Message
from dashboard.views import schedules as views
from stockverify.vocabulary import ScheduleState
from stockverify.wire.schedules import Schedule

ADDRESS = "schedule"
NEW = "new"
PREVIEW = "preview"
"""In the address: the run whose letter is looked at."""
NONE_HERE = Message(
    "No schedule here",
    "No schedule fits these filters. Supervisors and admins make one with New schedule: it mails a report, or takes a "
    "snapshot, at the times that you choose.",
    "event_available",
)
_PICKER = "schedule_picker"
_HOUSE = "The house"
_ALL = "All"
_STATES: dict[str, ScheduleState | None] = {_ALL: None} | {words: state for state, words in views.STATES.items()}
_OWNERS = (_ALL, "Mine", _HOUSE)
_IN_SIGHT = 9


def looked_at() -> str:
    """The schedule that the page's address names, `new`, or nothing."""
    return str(st.query_params.get(ADDRESS, ""))


def look_at(schedule_id: str) -> None:
    """Look at this one from now on; at none, the page shows the first of the list."""
    stop_looking()
    if schedule_id:
        st.query_params[ADDRESS] = schedule_id
    else:
        st.query_params.pop(ADDRESS, None)


def stop_looking() -> None:
    """Put the preview away."""
    st.query_params.pop(PREVIEW, None)


class Found(NamedTuple):
    """The schedules that the filters let through; `cut` when there are more than one call gives."""

    shown: list[Schedule]
    cut: bool


def found(desk: Desk) -> Found:
    """Draw the filters and read what they let through."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        state = st.segmented_control(
            "State",
            list(_STATES),
            default=_ALL,
            required=True,
            key="schedule_state",
            on_change=look_at,
            args=("",),
        )
        owner = st.segmented_control(
            "Owner", _OWNERS, default=_ALL, required=True, key="schedule_owner", on_change=look_at, args=("",)
        )
        if desk.settles:
            st.button("New schedule", icon=":material/add:", type="primary", on_click=look_at, args=(NEW,))
    listed = calls.listed(desk, _STATES[state], desk.user.username if owner == "Mine" else "")
    shown = [each for each in listed if each.builtin] if owner == _HOUSE else listed
    return Found(shown, len(listed) >= calls.MOST_SCHEDULES)


def table(house: House, found: Found) -> None:
    """Draw the table; a click on a row looks at its schedule."""
    zone, shown, count = house.zone.key, found.shown, len(found.shown)
    st.caption(_how_many(found))
    if not shown:
        return
    # A tick is the number of a row. Another list gets another table, so that it never slips to another schedule.
    mark = hashlib.sha256(" ".join(each.schedule_id for each in shown).encode()).hexdigest()[:16]
    key = f"schedules_{mark}"
    st.dataframe(
        views.table(shown).to_arrow(),
        column_config={
            "name": st.column_config.TextColumn("Schedule", width="medium"),
            "what": st.column_config.TextColumn("What", width="medium"),
            "when": st.column_config.TextColumn("When"),
            "state": st.column_config.TextColumn("State", width="small"),
            "next_there": st.column_config.TextColumn("Next, by its own clock") if _elsewhere(shown, zone) else None,
            "next_here": st.column_config.DatetimeColumn(f"Next ({zone})", format="D MMM, HH:mm", timezone=zone),
            "last": st.column_config.TextColumn("Last result"),
            "recipients": st.column_config.NumberColumn("To", format="%,d", width="small"),
            "owner": st.column_config.TextColumn("Owner"),
        },
        hide_index=True,
        height=fitted(count, _IN_SIGHT),
        placeholder=NOTHING,
        on_select=lambda: _clicked(key, shown),
        selection_mode="single-row",
        key=key,
        alt="Schedules; choose a row to look at it",
    )


def _elsewhere(shown: list[Schedule], zone: str) -> bool:
    """Whether any of them goes by another clock than that of the house."""
    return any(each.zone != zone for each in shown)


def choose(shown: list[Schedule]) -> str:
    """Draw the picker; returns the schedule that is looked at. A link may name any."""
    names = {each.schedule_id: each.name for each in shown}
    asked = looked_at() or next(iter(names), "")
    options = list(names) if asked in names else [asked, *names]
    st.session_state[_PICKER] = asked
    st.selectbox("Schedule", options, format_func=lambda id_: names.get(id_, id_), key=_PICKER, on_change=_picked)
    return asked


def _how_many(found: Found) -> str:
    count = amount(len(found.shown), "lines")
    if found.cut:
        most = amount(calls.MOST_SCHEDULES, "lines")
        return f"{count} shown, of the newest {most}. Narrow the filters to see older ones."
    return f"All {count} shown, newest first."


def _clicked(key: str, shown: list[Schedule]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(shown):
        look_at(shown[rows[0]].schedule_id)


def _picked() -> None:
    look_at(st.session_state[_PICKER])
