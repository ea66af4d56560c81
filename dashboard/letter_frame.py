"""Draws a letter as its recipient sees it, its plain text, and the files that go with it."""

from collections.abc import Callable, Sequence
from typing import Protocol

import polars as pl
import streamlit as st

from dashboard.drawing import all_of
from dashboard.views.letters import framed

_WIDTHS = {"Wide window": None, "Phone": 390}
_HEIGHT = 720


class File(Protocol):
    """What is told of a file, of a letter or of a mail."""

    @property
    def name(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...


def page(html: str, key: str) -> None:
    """The letter in a frame in which nothing can run."""
    width = st.segmented_control(
        "Window", list(_WIDTHS), default="Wide window", required=True, key=f"window_{key}", label_visibility="collapsed"
    )
    pixels = _WIDTHS[width or "Wide window"]
    st.iframe(framed(html, "The mail"), width=pixels or "stretch", height=_HEIGHT, alt="The mail")
    st.caption("Nothing in it can run or load anything, and its links lead nowhere here.")


def plain(text: str) -> None:
    """The plain text, as programs show it that show no HTML."""
    st.code(text, language=None, wrap_lines=True, height=_HEIGHT)


def files(found: Sequence[File], fetch: Callable[[str], bytes] | None = None) -> None:
    """Each file with its size and checksum; with `fetch`, to be kept. It is fetched when the button is pressed."""
    if not found:
        st.caption("No file goes with it.")
        return
    rows = [(each.name, each.bytes, each.sha256) for each in found]
    shown = pl.DataFrame(rows, schema={"name": pl.String, "bytes": pl.Int64, "sha256": pl.String}, orient="row")
    st.dataframe(
        shown.to_arrow(),
        column_config={
            "name": st.column_config.TextColumn("File"),
            "bytes": st.column_config.NumberColumn("Size (bytes)", format="%,d"),
            "sha256": st.column_config.TextColumn("SHA-256"),
        },
        hide_index=True,
        height="content",
    )
    st.caption(f"{all_of(len(rows), 'file')}.")
    if fetch is not None:
        with st.container(horizontal=True):
            for each in found:
                _keep(each.name, fetch)


def _keep(name: str, fetch: Callable[[str], bytes]) -> None:
    st.download_button(
        f"Download {name}", lambda: fetch(name), file_name=name, icon=":material/download:", on_click="ignore"
    )
