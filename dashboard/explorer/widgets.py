"""Widgets that begin with what is picked already, and forget what is no longer offered."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.glance.words import heading

Choice = TypeVar("Choice")


def one(
    place: DeltaGenerator, label: str, options: Sequence[Choice], key: str, seed: Any, **look: Any
) -> Choice | None:
    """One of the options, or none until one was picked."""
    if st.session_state.setdefault(key, seed) not in options:
        st.session_state[key] = None
    index = None if st.session_state[key] is None else 0  # then it cannot be emptied again
    chosen: Choice | None = place.selectbox(label, options, index=index, key=key, **look)
    return chosen


def several(
    place: DeltaGenerator, label: str, options: Sequence[Choice], key: str, seed: Iterable[Choice], **look: Any
) -> tuple[Choice, ...]:
    """Some of the options, in the order in which they were picked."""
    picked = st.session_state.setdefault(key, list(seed))
    st.session_state[key] = [each for each in picked if each in options]
    return tuple(place.multiselect(label, options, key=key, wrap=True, **look))


def text(place: DeltaGenerator, label: str, key: str, seed: str, **look: Any) -> str:
    """What was typed."""
    st.session_state.setdefault(key, seed)
    return str(place.text_input(label, key=key, **look))


def names(fields: Iterable[str]) -> dict[str, str]:
    """Fields in words; those whose words would be the same keep their own names."""
    known = {name: heading(name) for name in fields}
    words = list(known.values())
    return {name: word if words.count(word) == 1 else name for name, word in known.items()}
