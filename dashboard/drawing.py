"""Puts what the views made on the screen."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import altair as alt
import polars as pl
import streamlit as st

from analytics.glance.attention import Notice
from analytics.glance.numbers import NOTHING, amount
from analytics.glance.tiles import Tile
from dashboard.context import House
from dashboard.markup import literal
from dashboard.views.tables import columns
from stockverify import page_links
from stockverify.datasets import Type

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
    page, query = target(path)
    st.page_link(page, label=label, icon=":material/arrow_forward:", query_params=query)


def target(path: str) -> tuple[str, dict[str, str]]:
    """The page of a path as `page_links` writes it, and what its address says."""
    parts = urlsplit(path)
    return f"screens{parts.path}.py", dict(parse_qsl(parts.query))


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
