"""Where the rows of the Explore page come from: the head with the switch between snapshots and live data."""

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import heading
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.explorer import answers, draft, opening, panel
from dashboard.explorer.answers import Answer
from dashboard.explorer.draft import Draft
from dashboard.markup import literal
from dashboard.messages import explain, show
from dashboard.times import shown
from stockverify.errors import BadInput

_SOURCES = {False: "Snapshot", True: "Live"}
_LIMITS = (
    "Live answers take at most 10 seconds and hold at most 10,000 groups. They stay as they are until you refresh."
)
_DERIVED = (
    "Positions are worked out when a snapshot is taken: this is the latest one, {snapshot_id}. Take a new one to see "
    "newer counts."
)


class Where(NamedTuple):
    """The snapshot that is shown; none for live data, which say their moment in `slot` once they are there. `newest` is
    for suggestions."""

    snapshot_id: str
    newest: str
    slot: DeltaGenerator | None = None


def draft_or_why_not(house: House) -> Draft | None:
    """What is being put together; when the address cannot be read, why not, and a way on."""
    try:
        return draft.current(house.zone)
    except BadInput as error:
        st.title("Explore", anchor=False)
        show(explain(error), "the link")
        st.button("Start with an empty query", on_click=draft.forget, icon=":material/restart_alt:")
        return None


def head(house: House, desk: Desk, found: Draft) -> Where | None:
    """The title, of which moment the rows are, and what to begin with; None when there is nothing to ask."""
    where = _live(house) if found.live else _snapshot(house)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _switch(found)
        if where is not None:
            panel.dataset(found)
            with st.container(width="stretch"):
                opening.choose(house, desk, found)
    return where


def live_as_of(house: House, where: Where, answer: Answer) -> None:
    """Of which moment live rows are."""
    if where.slot is None:
        return
    as_of = literal(shown(answer.as_of, house.zone))
    if answer.snapshot_id:
        where.slot.markdown(
            f":orange-badge[Snapshot] as of **{as_of}**. {literal(_DERIVED.format(snapshot_id=answer.snapshot_id))}"
        )
    else:
        where.slot.markdown(f":green-badge[Live] as of **{as_of}**. {_LIMITS}")


def _live(house: House) -> Where:
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    left.title("Explore", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Refresh", icon=":material/refresh:", on_click=answers.refresh)
    slot, known = st.empty(), house.lake.freezes()
    return Where("", known[0].snapshot_id if known else "", slot)


def _snapshot(house: House) -> Where | None:
    choice = heading.heading(house, "Explore")
    return Where(choice.freeze.snapshot_id, choice.newest.snapshot_id) if choice else None


def _switch(found: Draft) -> None:
    key = found.key("source")
    st.session_state.setdefault(key, found.live)
    live = st.segmented_control("Data", list(_SOURCES), required=True, format_func=_SOURCES.__getitem__, key=key)
    if live is not None and live != found.live:
        found.live = live
        answers.refresh()
        st.rerun()
