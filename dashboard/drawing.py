"""Puts what the views made on the screen."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import altair as alt
import polars as pl
import streamlit as st

from analytics import charts
from analytics.glance.attention import Notice
from analytics.glance.kept import Biggest
from analytics.glance.numbers import NOTHING, amount
from analytics.glance.tiles import Tile
from dashboard.context import House
from dashboard.markup import literal
from dashboard.views.tables import columns, figure_columns
from stockverify import page_links
from stockverify.datasets import POSITIONS, Type

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
_LINE = 33  # of a row as it is drawn in this font size
_VARIED = 10
AnyChart: TypeAlias = alt.Chart | alt.LayerChart
Kinds = Sequence[tuple[str, Type]]
Variances = Callable[[pl.DataFrame, int, str], AnyChart]


def tiles(shown: Sequence[Tile]) -> None:
    """The figures, in as many columns as fit."""
    with st.container(key="tiles"):
        for tile in shown:
            st.metric(tile.label, tile.value, tile.delta, tile.good, help=tile.help, border=True)


def chart(drawn: AnyChart, rows: int, step: int = 24) -> None:
    """A chart of bars in a card, in the colours of the theme; as wide as the card, and with a fixed place for each row.

    The height is given as a number, because the browser complains when a chart of steps is fitted to a width. The title
    is text of the page: within the chart it would be cut where the card ends, and nobody could read it aloud.
    """
    fitted = drawn.properties(height=max(rows, 1) * step, autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    title, fitted.title = str(drawn.title), alt.Undefined
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.markdown(f"**{literal(title)}**")
        st.altair_chart(fitted, width="stretch", alt=title)


def no_chart(title: str, why: str) -> None:
    """In the place of a chart that has nothing to show, why."""
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{literal(title)}**")
        st.caption(why)


def variances(frame: pl.DataFrame, title: str, draw: Variances, currency: str, beside: int = 0) -> None:
    """A chart of the groups with the largest net variance in value, or that there is none; `beside` is how many rows it
    has beside those of the groups."""
    varied = frame.filter(pl.col("net_variance_value") != 0).height
    if varied:
        rest = 1 if beside and varied > _VARIED else 0
        chart(draw(frame, _VARIED, currency), min(varied, _VARIED) + beside + rest)
    else:
        no_chart(title, "Nothing to show: no counted line differs from the book in value.")


def racks(by_rack: pl.DataFrame, currency: str) -> None:
    """Every rack, as a map and as a table."""
    st.header("Racks", anchor=False)
    as_map, as_table = st.tabs(["Map", "Table"])
    with as_map:
        _rack_map(by_rack)
    with as_table:
        _rack_table(by_rack, currency)


def _rack_map(by_rack: pl.DataFrame) -> None:
    step = charts.ROW_PIXELS[charts.has_names(by_rack)]
    chart(charts.progress_map(by_rack), charts.rows_of_map(by_rack), step)


def _rack_table(by_rack: pl.DataFrame, currency: str) -> None:
    rows, config = by_rack.select(_RACKS).to_arrow(), figure_columns(currency)
    st.dataframe(rows, column_config=config, hide_index=True, placeholder=NOTHING, alt="Racks")
    st.caption(f"{all_of(by_rack.height, 'rack')}.")


def biggest(found: Biggest, house: House) -> None:
    """Where the most money is missing or in excess."""
    st.header("Biggest variances", anchor=False)
    if found.total == 0:
        st.success("No counted line differs from the book in value.", icon=":material/check_circle:")
        return
    kinds = [(column.name, column.type) for column in POSITIONS.columns if column.name in _BIGGEST]
    table(found.rows.select(_BIGGEST), kinds, house, most_rows=12, name="Biggest variances")
    st.caption(f"{part(found.rows.height, found.total)} lines with a variance in value, largest first.")


def attention(found: Sequence[Notice], snapshot_id: str) -> None:
    """What somebody should look at, a card each, with a way to the rows that it speaks of."""
    st.header("Needs attention", anchor=False)
    if not found:
        st.success("Every rack is counted and nothing is in doubt.", icon=":material/check_circle:")
        return
    with st.container(key="attention"):
        for notice in found:
            with st.container(border=True, gap="xxsmall", height="stretch"):
                st.markdown(f":material/{notice.icon}: **{literal(notice.title)}**")
                st.caption(literal(notice.text))
                link(page_links.rows(snapshot_id, notice.question), "Show them")


def link(path: str, label: str) -> None:
    """A way to a page, as `page_links` writes it, within this session: a plain link would ask for a password again."""
    target = urlsplit(path)
    page, query = f"screens{target.path}.py", dict(parse_qsl(target.query))
    st.page_link(page, label=label, icon=":material/arrow_forward:", query_params=query)


def table(rows: pl.DataFrame, kinds: Kinds, house: House, most_rows: int = 10, name: str = "Rows") -> None:
    """Rows of a dataset or of a query, so many of them in sight at once; by the name screen readers find them."""
    st.dataframe(
        rows.to_arrow(),
        height=fitted(rows.height, most_rows),
        column_config=columns(kinds, house.zone, house.currency),
        hide_index=True,
        placeholder=NOTHING,
        alt=name,
    )


def fitted(rows: int, most: int) -> int | Literal["content"]:
    """The height of a table that ends with its last row, or that shows so many and half a row more, to be scrolled."""
    return "content" if rows <= most else _LINE * (most + 1) + _LINE // 2


def all_of(number: int, one: str, several: str = "") -> str:
    """That a list is whole, and how long it is."""
    return f"One {one}" if number == 1 else f"All {amount(number, 'lines')} {several or f'{one}s'}"


def part(shown: int, total: int) -> str:
    """How much of a list is shown; never cut in silence."""
    return f"All {amount(total, 'lines')}" if shown == total else f"First {shown} of {amount(total, 'lines')}"
