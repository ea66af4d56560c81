"""The list of flags: where they come from, its filters, its table, and which one is looked at."""

import hashlib
from datetime import UTC, datetime

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from analytics.glance.numbers import NOTHING, amount
from dashboard import kept_filters
from dashboard.calls import flags as calls
from dashboard.calls.flags import PAGE, Asked
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.drawing import fitted
from dashboard.markup import literal
from dashboard.messages import Message
from dashboard.times import age, shown
from dashboard.views import flags as views
from dashboard.views.conflicts import neighbours
from stockverify.vocabulary import FlagState
from stockverify.wire.anomalies import KeptFlag, KeptFlags, Scan

ADDRESS = "flag"
_TURN = "flag_turn"
DISMISS, RECOUNT = "dismiss", "recount"
"""How the keys of the buttons that send forms begin; the id of the flag follows."""

_IN_SIGHT = 8
_STATE = "state"
_STATES = {FlagState.OPEN: "Open", FlagState.DISMISSED: "Dismissed", FlagState.GONE: "No longer found"}
NOT_LOOKED_YET = Message(
    "Nobody has looked yet",
    "The worker looks for anomalies once an hour, in the latest snapshot, and has not done so yet. Take a snapshot if "
    "there is none, and see on the Health page whether the worker runs.",
    "travel_explore",
)
NOTHING_HERE = Message(
    "Nothing is flagged here",
    "No flag passes these filters. A flag is a reason to look, not a verdict; new ones appear here when the worker has "
    "looked at a new snapshot.",
    "task_alt",
)


def looked_at() -> str:
    """The flag that the page's address names, or nothing."""
    return str(st.query_params.get(ADDRESS, ""))


def heed_what_was_sent() -> None:
    """A form that was sent just now is answered for its own flag, whatever the address has come to name meanwhile."""
    for key, pressed in st.session_state.items():
        form, _, flag_id = str(key).partition(" ")
        if pressed is True and form in (DISMISS, RECOUNT):
            st.query_params[ADDRESS] = flag_id


def look_at(flag_id: str) -> None:
    """Look at this one from now on; at none, the page shows the first of the list. A row that was picked before is
    no longer marked."""
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    if flag_id:
        st.query_params[ADDRESS] = flag_id
    else:
        st.query_params.pop(ADDRESS, None)


def origin(house: House, scan: Scan) -> None:
    """Which snapshot was looked at, and when."""
    looked = literal(shown(datetime.fromtimestamp(scan.at, UTC), house.zone))
    known = house.lake.freezes()
    freeze = next((each for each in known if each.snapshot_id == scan.snapshot_id), None)
    if freeze is None:
        st.markdown(
            f":orange-badge[Not kept] `{scan.snapshot_id}`, looked at {looked}. The snapshot was removed since."
        )
        return
    latest = freeze == known[0]
    badge = ":green-badge[Latest]" if latest else ":orange-badge[Not the latest]"
    named = f"**{literal(freeze.name)}** · " if freeze.name else ""
    as_of = literal(shown(freeze.as_of, house.zone))
    since = age(datetime.now(UTC) - freeze.as_of)
    st.markdown(f"{badge} {named}as of **{as_of}** · {since} · `{freeze.snapshot_id}`")
    waits = "" if latest else " There is a newer snapshot; the worker looks at the latest one once an hour."
    st.caption(f"The worker looked for anomalies at {looked}.{waits}")


def filters(desk: Desk) -> tuple[Asked, KeptFlags]:
    """Draw the filters and read what they let through."""
    with st.container(key="flag_filters"):
        first, second, third, fourth = (st.container() for _ in range(4))
    kinds = kept_filters.several(second, "Kind", "kind", views.KINDS, _forget)
    rack = kept_filters.text(third, "Rack", "rack", 128, "Rack id", _forget)
    counter = kept_filters.text(fourth, "Counted by", "counted_by", 256, "User name", _forget)
    asked = Asked(FlagState(kept_filters.chosen(_STATE, list(_STATES))), kinds, rack, counter)
    found = _page(desk, asked)
    words = {state.value: f"{name} {amount(found.by_state[state], 'lines')}" for state, name in _STATES.items()}
    kept_filters.one(first, "State", _STATE, words, _forget)
    return asked, found


def table(house: House, asked: Asked, found: KeptFlags) -> None:
    """Draw the flags of a page, and the way to other pages."""
    st.caption(_how_many(found))
    if not found.flags:
        return
    # Picks are numbers of rows: another list is another table, so that a pick never slips to another flag.
    marks = " ".join(f"{each.flag_id} {each.state}" for each in found.flags) + f" {st.session_state.get(_TURN, 0)}"
    key = f"flags_{hashlib.sha256(marks.encode()).hexdigest()[:16]}"
    st.dataframe(
        views.table(found.flags).to_arrow(),
        column_config=_columns(house.zone.key),
        hide_index=True,
        height=fitted(len(found.flags), _IN_SIGHT),
        on_select=lambda: _row_picked(key, found.flags),
        selection_mode="single-row",
        key=key,
        placeholder=NOTHING,
        alt="Flags, the most severe first; pick a row to look at it",
    )
    if found.pagination.total > PAGE:
        st.pagination(-(-found.pagination.total // PAGE), key=_page_key(asked))


def choose(flags: list[KeptFlag]) -> tuple[str, str]:
    """Draw the picker; returns the flag that is looked at, and the one that follows. A link may name any."""
    names = {each.flag_id: views.name(each) for each in flags}
    asked = looked_at() or next(iter(names), "")
    options = list(names) if asked in names else [asked, *names]
    before, after = neighbours(list(names), asked)
    with st.container(horizontal=True, vertical_alignment="bottom", key="flag_choice"):
        # Each flag has a picker of its own: a browser that is behind cannot pick the flag of the run before again.
        key = f"flag_picker {asked}"
        st.selectbox(
            "Flag",
            options,
            options.index(asked),
            format_func=lambda id_: names.get(id_, id_),
            key=key,
            on_change=_picked,
            args=(key,),
        )
        st.button("Previous", on_click=look_at, args=(before,), disabled=not before, shortcut="Alt+Up", width=150)
        st.button("Next", on_click=look_at, args=(after,), disabled=not after, shortcut="Alt+Down", width=150)
    return asked, after if after != asked else ""


def _page(desk: Desk, asked: Asked) -> KeptFlags:
    """The page that was chosen; when flags were dismissed since and it is empty now, the first one."""
    key = _page_key(asked)
    found = calls.listed(desk, asked, int(st.session_state.get(key) or 1))
    if not found.flags and found.pagination.total:
        st.session_state[key] = 1
        return calls.listed(desk, asked, 1)
    return found


def _page_key(asked: Asked) -> str:
    return f"flag_page {asked}"


def _how_many(found: KeptFlags) -> str:
    page, shown_ = found.pagination, len(found.flags)
    if shown_ == page.total:
        return f"All {amount(page.total, 'lines')} shown, the most severe first."
    return (
        f"Showing {page.skip + 1:,} to {page.skip + shown_:,} of {amount(page.total, 'lines')}, the most severe first."
    )


def _columns(zone: str) -> dict[str, ColumnConfig]:
    when = st.column_config.DatetimeColumn(f"First seen ({zone})", format="D MMM YYYY, HH:mm", timezone=zone)
    severity = st.column_config.ProgressColumn(
        "Severity", format="%.2f", min_value=0, max_value=1, width="small", help="0 at its limit, near 1 far beyond it"
    )
    titles = {"kind": "Kind", "subject": "What", "racks": "Racks", "counters": "Counted by", "said": "What was said"}
    texts = {column: st.column_config.TextColumn(title) for column, title in titles.items()}
    why = st.column_config.TextColumn("Why", width="large")
    return {"severity": severity, "first_seen": when, "why": why, **texts}


def _row_picked(key: str, flags: list[KeptFlag]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(flags):
        st.query_params[ADDRESS] = flags[rows[0]].flag_id


def _forget() -> None:
    """Another list begins with its own first flag."""
    look_at("")


def _picked(key: str) -> None:
    look_at(st.session_state[key])
