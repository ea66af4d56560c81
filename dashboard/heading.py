"""The head of every page: its title, the snapshot picker, and a line that says what is shown and how old it is."""

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from analytics.lake import Freeze
from dashboard import address, snapshot_button
from dashboard.context import House
from dashboard.markup import literal
from dashboard.messages import Message, explain, show
from dashboard.picker import Choice, SnapshotGone, choose, freshness
from dashboard.times import age, shown
from stockverify.datasets import POSITIONS
from stockverify.errors import SetupError, StockVerifyError

_PICKER = "snapshot_picker"
_COPYING = "Putting the lines of your floors together, once for each snapshot …"

NOTHING_YET = Message(
    "No snapshot yet",
    "Figures come from snapshots of the counted stock, and none has been taken so far. Take one now, wait for the "
    "worker to take one by itself, or run `stockverify demo` to look around with sample data.",
    "photo_camera",
)
NONE_READABLE = Message(
    "No snapshot can be read",
    "All that were taken are damaged or of another version, so nothing is shown of them; `stockverify doctor` says "
    "why. Take a new one now, or wait for the worker to take one by itself.",
    "error",
)


def heading(house: House, title: str) -> Choice | None:
    """Draw the head; None when there is nothing to draw below it, and that is said."""
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    left.title(title, anchor=False)
    known = house.lake.freezes()
    if not known:
        show(NONE_READABLE if house.lake.unreadable() else NOTHING_YET)
        snapshot_button.offer(house)
        return None
    try:
        choice = choose(known, address.asked())
    except SnapshotGone as error:
        show(explain(_why(house, address.asked(), error)))
        st.button("Show the latest", on_click=address.remember, args=(known[0].snapshot_id,), icon=":material/update:")
        return None
    address.remember(choice.freeze.snapshot_id)
    with right:
        _picker(house, choice)
    _origin(house, choice)
    at_hand(house, choice.freeze.snapshot_id)
    return choice


def at_hand(house: House, snapshot_id: str) -> None:
    """Whoever sees some floors only waits here for a copy of their lines, 20 seconds or so for ten million of all, when
    nobody with the same floors has looked at this snapshot before. Raises what the lake raises."""
    if not house.lake.at_hand(snapshot_id):
        with st.spinner(_COPYING, show_time=True):
            house.lake.manifest(POSITIONS.name, snapshot_id)


def _why(house: House, snapshot_id: str, gone: SnapshotGone) -> StockVerifyError:
    """What is wrong with one that is there and cannot be read; else that it is gone."""
    try:
        house.lake.freeze(snapshot_id)
    except SetupError as error:
        return error
    except StockVerifyError:
        pass
    return gone


def live(house: House, title: str) -> Callable[[], None]:
    """The head of a page that shows what the service says now, and no snapshot. What it returns says of which moment
    that is: for when the service has answered."""
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    left.title(title, anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="xsmall"):
        place, asked = st.container(width="content"), as_of(house)
        st.button("Refresh", icon=":material/refresh:", key=f"refresh_{title}")

    def answered() -> None:
        place.markdown(asked, width="content")

    return answered


def as_of(house: House) -> str:
    """That live figures are of this moment, in Markdown."""
    return f":green-badge[Live] as of **{literal(shown(datetime.now(UTC), house.zone))}**"


def stale(house: House, at: datetime) -> str:
    """That what is shown is of an earlier moment, in Markdown."""
    return f":red-badge[Stale] as of **{literal(shown(at, house.zone))}**"


def label(freeze: Freeze, house: House) -> str:
    """A snapshot in a list."""
    name = f" · {freeze.name}" if freeze.name else ""
    return f"{shown(freeze.as_of, house.zone)}{name}"


def _picker(house: House, choice: Choice) -> None:
    by_id = {freeze.snapshot_id: label(freeze, house) for freeze in choice.known}
    st.session_state[_PICKER] = choice.freeze.snapshot_id
    st.selectbox("Snapshot", by_id, format_func=by_id.__getitem__, key=_PICKER, on_change=_picked)


def _picked() -> None:
    address.remember(st.session_state[_PICKER])


def _origin(house: House, choice: Choice) -> None:
    """Where all numbers on the page come from."""
    now = datetime.now(UTC)
    freeze = choice.freeze
    state = freshness(choice, now, house.settings.snapshot_interval, house.lake.unreadable())
    name = f"**{literal(freeze.name)}** · " if freeze.name else ""
    as_of = literal(shown(freeze.as_of, house.zone))
    badge = f":{state.color}-badge[{state.label}]"
    st.markdown(f"{badge} {name}as of **{as_of}** · {age(now - freeze.as_of)} · `{freeze.snapshot_id}`")
    if state.hint:
        st.caption(state.hint)
