"""Which page of a table is shown, and how long its pages are."""

from typing import NamedTuple

import streamlit as st

_SIZES = (100, 500, 2000)


class Page(NamedTuple):
    """Rows that are shown: so many, after so many others."""

    before: int
    size: int


def page(total: int, question: str) -> Page:
    """Draw the choice. Another question begins at its first page."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    size = right.selectbox("Rows per page", _SIZES, key="rows_per_page") or _SIZES[0]
    pages = max(1, -(-total // size))
    with left:
        number = st.pagination(pages, key=f"page {size} {question}")
    return Page((number - 1) * size, size)
