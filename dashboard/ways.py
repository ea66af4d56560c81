"""Ways from a row of a table to the page that tells more of it, within the session: a link in a cell would open another
one, which asks for the password."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from dashboard.drawing import target
from stockverify import page_links
from stockverify.datasets import POSITIONS
from stockverify.wire.reports import QuerySpec

GO = "go"
_ARROW = ":material/arrow_forward:"


def with_ways(rows: pl.DataFrame) -> pl.DataFrame:
    """A first column of buttons. Their label is always the same: what stands in cells comes from outside."""
    return rows.select(pl.lit(_ARROW).alias(GO), pl.all())


def looks(key: str) -> dict[str, Any]:
    """How the column looks; a click on it is told under the key."""
    return {GO: st.column_config.ButtonColumn("", type="tertiary", width=44, help="Its lines, in Explore", key=key)}


def follow(key: str, rows: pl.DataFrame, names: tuple[str, ...], snapshot_id: str) -> None:
    """Go to the lines that are like the clicked row in these columns, if one was clicked just now."""
    clicked = st.session_state.get(key)
    if clicked and 0 <= clicked["row"] < rows.height:
        page, query = target(page_links.rows(snapshot_id, lines_like(rows.row(clicked["row"], named=True), names)))
        st.switch_page(page, query_params=query)


def lines_like(row: Mapping[str, Any], names: tuple[str, ...]) -> QuerySpec:
    """The lines that have the same values in these columns."""
    return QuerySpec(collection=POSITIONS.name, filters={name: row[name] for name in names})
