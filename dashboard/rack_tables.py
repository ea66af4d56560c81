"""Racks as a map and as a table, and the lines that are off by the most money; each row leads to its lines."""

from typing import Literal, TypeAlias

import polars as pl
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from analytics import charts
from analytics.glance.kept import Biggest
from analytics.glance.numbers import NOTHING
from dashboard import drawing, ways
from dashboard.context import House
from dashboard.views.tables import columns, figure_columns
from stockverify.datasets import POSITIONS

_BIGGEST = ("rack_id", "item_code", "variance_value", "variance_qty", "book_qty", "verified_qty", "item_name")
_RACKS = (
    "floor",
    "rack_id",
    "progress",
    "counted_lines",
    "lines",
    "book_units",
    "verified_units",
    "net_variance_units",
    "net_variance_value",
    "accuracy",
)
Height: TypeAlias = int | Literal["auto", "content"]


def racks(by_rack: pl.DataFrame, house: House, snapshot_id: str) -> None:
    """Every rack, as a map and as a table."""
    st.header("Racks", anchor=False)
    as_map, as_table = st.tabs(["Map", "Table"])
    with as_map:
        step = charts.ROW_PIXELS[charts.has_names(by_rack)]
        drawing.chart(charts.progress_map(by_rack), charts.rows_of_map(by_rack), step)
    with as_table:
        _rack_table(by_rack.select(_RACKS), house, snapshot_id)


def biggest(found: Biggest, house: House, snapshot_id: str) -> None:
    """Where the most money is missing or in excess."""
    st.header("Biggest variances", anchor=False)
    if found.total == 0:
        st.success("No counted line differs from the book in value.", icon=":material/check_circle:")
        return
    rows, key = found.rows.select(_BIGGEST), f"line of {snapshot_id}"
    kinds = [(column.name, column.type) for column in POSITIONS.columns if column.name in _BIGGEST]
    _table(rows, columns(kinds, house.zone, house.currency), key, drawing.fitted(rows.height, 12), "Biggest variances")
    st.caption(f"{drawing.part(rows.height, found.total)} lines with a variance in value, largest first.")
    ways.follow(key, rows, ("rack_id", "item_code"), snapshot_id)


def _rack_table(rows: pl.DataFrame, house: House, snapshot_id: str) -> None:
    key = f"rack of {snapshot_id}"
    _table(rows, figure_columns(house.currency), key, "auto", "Racks")
    st.caption(f"{drawing.all_of(rows.height, 'rack')}.")
    ways.follow(key, rows, ("floor", "rack_id"), snapshot_id)


def _table(rows: pl.DataFrame, looks: dict[str, ColumnConfig], key: str, height: Height, name: str) -> None:
    st.dataframe(
        ways.with_ways(rows).to_arrow(),
        height=height,
        column_config={**looks, **ways.looks(key)},
        hide_index=True,
        placeholder=NOTHING,
        alt=name,
    )
