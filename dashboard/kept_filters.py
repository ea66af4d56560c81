"""Filters of a live list, in the address of its page: a link shows the same list, and a reload keeps it.

The address is what counts; what it names and nobody offers is as if it were not there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

Kind = TypeVar("Kind", bound=str)
Then = Callable[[], None]


def _nothing_more() -> None:
    """Another list needs nothing else to be done."""


def text(place: DeltaGenerator, label: str, name: str, most: int, placeholder: str, then: Then = _nothing_more) -> str:
    """A text without blanks around it; empty is any. `then` is called when it was changed here."""
    asked = _asked(name)
    key = _seeded(name, asked if len(asked) <= most else "")
    place.text_input(label, key=key, placeholder=placeholder, max_chars=most, on_change=_changed, args=(name, then))
    return str(st.session_state[key])


def several(
    place: DeltaGenerator, label: str, name: str, offered: Mapping[Kind, str], then: Then = _nothing_more
) -> list[Kind]:
    """Some of what is offered, which have words; none are all."""
    asked = _asked(name).split(",")
    key = _seeded(name, [each for each in offered if each in asked])
    picked: list[Kind] = place.multiselect(
        label, list(offered), format_func=offered.__getitem__, placeholder="Any", key=key,
        on_change=_changed, args=(name, then),
    )  # fmt: skip
    return picked


def chosen(name: str, offered: Sequence[str]) -> str:
    """The one that the address names, or the first: for what is asked before `one` can be drawn."""
    asked = _asked(name)
    return asked if asked in offered else offered[0]


def one(place: DeltaGenerator, label: str, name: str, offered: Mapping[str, str], then: Then = _nothing_more) -> str:
    """One of what is offered, each with its words; the first is the usual one and not in the address."""
    names = list(offered)
    key = _seeded(name, chosen(name, names))
    place.segmented_control(
        label, names, required=True, format_func=offered.__getitem__, key=key,
        on_change=_changed, args=(name, then, names[0]),
    )  # fmt: skip
    return chosen(name, names)


def _key(name: str) -> str:
    return f"filter_{name}"


def _asked(name: str) -> str:
    return str(st.query_params.get(name, "")).strip()


def _seeded(name: str, wanted: object) -> str:
    """The key of the widget, which shows what the address says. One that does so already is left alone: what somebody
    is typing at this moment would be overwritten."""
    key = _key(name)
    if key not in st.session_state or st.session_state[key] != wanted:
        st.session_state[key] = wanted
    return key


def _changed(name: str, then: Then, usual: str = "") -> None:
    value = st.session_state[_key(name)]
    written = ",".join(value) if isinstance(value, list) else str(value or "").strip()
    if written == usual:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = written
    then()
