"""The queue of conflicts: its filters, its table, and which one is looked at."""

import hashlib
from typing import NamedTuple

import streamlit as st

from analytics.glance.numbers import amount
from analytics.glance.words import heading
from dashboard import kept_filters
from dashboard.calls import conflicts as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.drawing import fitted
from dashboard.messages import Message
from dashboard.settling import look_at, looked_at
from dashboard.views import conflicts as views
from stockverify.vocabulary import ConflictStatus
from stockverify.wire.conflicts import Conflict

_PICKER, _TICKED = "conflict_picker", "queue_ticked"
_EVERY = "all"
_IN_SIGHT = 8
NONE_HERE = Message(
    "No conflict here",
    "Nothing was kept aside that these filters let through. Records that contradict each other appear here as soon as "
    "devices send them; until they are settled, both versions are kept.",
    "task_alt",
)


class Found(NamedTuple):
    """The newest conflicts that the filters let through, of so many in all."""

    shown: list[Conflict]
    total: int


def filters(desk: Desk) -> Found:
    """Draw the filters and read what they let through."""
    numbers = calls.stats(desk)
    with st.container(key="conflict_filters"):
        first, second, third, fourth = (st.container() for _ in range(4))
    words = {
        ConflictStatus.PENDING.value: f"Waiting {numbers.pending:,}",
        ConflictStatus.RESOLVED.value: f"Settled {numbers.resolved:,}",
        _EVERY: "All",
    }
    state = kept_filters.one(first, "State", "state", words)
    kinds = kept_filters.several(second, "Reason", "reason", views.TYPES)
    user = kept_filters.text(third, "Counted by", "counted_by", 256, "User name")
    session = kept_filters.text(fourth, "Session", "session", 128, "Session id")
    status = None if state == _EVERY else ConflictStatus(state)
    found = calls.listed(desk, calls.Asked(status, user, session, kinds))
    return Found(found.conflicts, found.total)


def queue(house: House, found: Found) -> list[Conflict]:
    """Draw the table; returns the conflicts whose rows are ticked."""
    st.caption(_how_many(found))
    if not found.shown:
        return []
    # Ticks are numbers of rows. Another list gets another table, so that a tick never slips to another conflict.
    mark = hashlib.sha256(" ".join(each.id + each.status for each in found.shown).encode()).hexdigest()[:16]
    zone = house.zone.key
    when = st.column_config.DatetimeColumn(f"Since ({zone})", format="D MMM YYYY, HH:mm:ss", timezone=zone)
    names = {name: heading(name) for name in ("why", "rack", "item", "counted_by", "differs", "state")}
    picked = st.dataframe(
        views.queue(found.shown).to_arrow(),
        column_config={"created_at": when, **names},
        hide_index=True,
        height=fitted(len(found.shown), _IN_SIGHT),
        on_select="rerun",
        selection_mode="multi-row",
        key=f"queue_{mark}",
        alt="Conflicts; tick one to look at it, several to settle them alike",
    )
    ticked = [found.shown[row].id for row in picked["selection"]["rows"] if row < len(found.shown)]
    _look_at_the_last(ticked)
    return [each for each in found.shown if each.id in ticked]


def choose(shown: list[Conflict]) -> tuple[str, str]:
    """Draw the picker; returns the conflict that is looked at, and the one that follows. A link may name any."""
    names = {each.id: views.name(each) for each in shown}
    asked = looked_at() or next(iter(names), "")
    look_at(asked)
    options = list(names) if asked in names else [asked, *names]
    before, after = views.neighbours(list(names), asked)
    with st.container(horizontal=True, vertical_alignment="bottom", key="conflict_choice"):
        st.session_state[_PICKER] = asked
        st.selectbox("Conflict", options, format_func=lambda id_: names.get(id_, id_), key=_PICKER, on_change=_picked)
        st.button("Previous", on_click=look_at, args=(before,), disabled=not before, shortcut="Alt+Up", width=150)
        st.button("Next", on_click=look_at, args=(after,), disabled=not after, shortcut="Alt+Down", width=150)
    return asked, after if after != asked else ""


def _how_many(found: Found) -> str:
    shown, total = amount(len(found.shown), "lines"), amount(found.total, "lines")
    if len(found.shown) < found.total:
        return f"The newest {shown} shown of {total}. Narrow the filters to see older ones."
    return f"All {total} shown. Tick one to look at it; several are settled alike." if found.total else "All 0 shown."


def _look_at_the_last(ticked: list[str]) -> None:
    """What was ticked just now is what somebody wants to see below."""
    before = st.session_state.get(_TICKED, [])
    st.session_state[_TICKED] = ticked
    if fresh := [each for each in ticked if each not in before]:
        look_at(fresh[-1])


def _picked() -> None:
    look_at(st.session_state[_PICKER])
