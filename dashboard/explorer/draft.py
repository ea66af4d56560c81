"""What this session is putting together. The address says the same as soon as it can be asked."""

from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.views import exploring
from dashboard.views.exploring import State
from dashboard.views.picks import Picks
from stockverify.wire.reports import QuerySpec

_DRAFT = "explore"


class Opened(NamedTuple):
    """A template or a saved query that the picks began with; `query_id` is empty for templates."""

    title: str
    told: str
    query_id: str = ""
    owner: str = ""


@dataclass
class Draft:
    """The picks, among them lines that wait for a value. Widgets of a new `generation` begin with the picks as they are
    then; those of the same one go on with what was typed."""

    picks: Picks
    live: bool = False
    figure: str = ""
    generation: int = 0
    written: dict[str, str] = field(default_factory=dict)
    opened: Opened | None = None
    done: int = 0
    """How often something was kept."""

    def key(self, name: str) -> str:
        """The key of a widget."""
        return f"explore {self.generation} {name}"

    def replace(self, picks: Picks) -> None:
        """Go on with other picks, in new widgets."""
        self.picks, self.generation = picks, self.generation + 1

    def open(self, picks: Picks, opened: Opened) -> None:
        """Begin with something that was there."""
        self.opened, self.figure = opened, ""
        self.replace(picks)

    def write(self, spec: QuerySpec) -> State:
        """Say in the address what is asked."""
        state = State(spec, self.live, self.figure)
        self.written = exploring.address_of(state)
        for name in exploring.NAMES:
            if name in self.written:
                st.query_params[name] = self.written[name]
            else:
                st.query_params.pop(name, None)
        return state


def current(zone: ZoneInfo) -> Draft:
    """The draft of the address, when that is another one than was written there; else that of the session. Raises a
    BadInput that says what is wrong with the address."""
    draft: Draft | None = st.session_state.get(_DRAFT)
    asked = {name: str(st.query_params[name]) for name in exploring.NAMES if st.query_params.get(name)}
    if draft is None or (asked and asked != draft.written):
        state, picks = exploring.read(asked, zone)
        generation = draft.generation + 1 if draft else 0
        draft = Draft(picks, state.live, state.figure, generation, asked)
        st.session_state[_DRAFT] = draft
    return draft


def forget() -> None:
    """Begin anew, and leave the address."""
    st.session_state.pop(_DRAFT, None)
    for name in exploring.NAMES:
        st.query_params.pop(name, None)
