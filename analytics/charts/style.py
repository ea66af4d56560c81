"""How all charts look: transparent, titled, in a palette that colour-blind people can read, on light and on dark."""

from typing import Any, TypeVar

import altair as alt
import polars as pl

# Okabe and Ito (2008): these stay apart under all common kinds of colour blindness. Their orange hardly stands out from
# white; this one is darker, and not to be drawn beside vermillion, which it then resembles.
BLUE, GREEN, VERMILLION, ORANGE = "#0072B2", "#009E73", "#D55E00", "#BD7D00"
NEUTRAL = "#888888"
QUIET = "#767676"
"""Writing that can be read on light and on dark."""
NO_NAME = "(none)"
ROW = alt.Step(24)
LEGEND = alt.Legend(orient="top", offset=6)
APART = "\u2063"
"""Stands between the place of a row and its name, so that two rows of one name stay apart. It stands in no name, and
unlike other separators may stand in SVG."""
WIDTH = 640
"""Pixels, where no page says how much room there is."""

_INK = {False: ("#1f2a2e", "#d5dcdc"), True: ("#dfe6e6", "#3c484d")}
AnyChart = TypeVar("AnyChart", alt.Chart, alt.LayerChart)


def titled(chart: alt.Chart, title: str | alt.TitleParams, **encodings: Any) -> alt.Chart:
    """A chart with its meaning above it, as wide as there is room, a row of fixed height for each of its bars."""
    return plain(chart.encode(**encodings).properties(title=title, width="container", height=ROW))


def plain(chart: AnyChart) -> AnyChart:
    """Without background and frame."""
    bare: AnyChart = (
        chart.configure(background="transparent").configure_view(stroke=None).configure_title(anchor="start")
    )
    return bare


def amounts(whole: bool = False) -> alt.Axis:
    """An axis of numbers that never touch each other; `whole` has no marks between whole numbers."""
    return alt.Axis(tickCount=6, format=",~r" if not whole else ",d", labelOverlap=True, tickMinStep=1 if whole else 0)


def label_of(part: int) -> str:
    """An expression for the label of a row: the part of its place that is meant for people."""
    return f"split(datum.value, '{APART}')[{part}]"


def themed(chart: AnyChart, dark: bool, width: int = WIDTH) -> AnyChart:
    """The same chart for a page of its own: in colours for a light or a dark ground, and of a fixed width."""
    ink, grid = _INK[dark]
    written: dict[str, Any] = {"labelColor": ink, "titleColor": ink}
    seen: AnyChart = (
        chart.properties(width=width)
        .configure_axis(**written, domainColor=grid, gridColor=grid, tickColor=grid)
        .configure_legend(**written)
        .configure_title(color=ink, subtitleColor=ink, anchor="start")
    )
    return seen


def named(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """What has no name is told so."""
    return frame.with_columns(pl.col(column).replace("", None).fill_null(NO_NAME))


def first(title: str, shown: int, total: int, noun: str) -> str:
    """A title that says so when not all is shown."""
    return title if total <= shown else f"{title} (first {shown} of {total:,} {noun})"
