"""How all charts look: transparent, titled, in a palette that colour-blind people can read, on light and on dark."""

from typing import Any, TypeVar

import altair as alt
import polars as pl

# Okabe and Ito (2008): these stay apart under all common kinds of colour blindness.
BLUE, GREEN, VERMILLION, ORANGE = "#0072B2", "#009E73", "#D55E00", "#E69F00"
NEUTRAL = "#888888"
NO_NAME = "(none)"
ROW = alt.Step(24)
WIDTH = 640
"""Pixels, where no page says how much room there is."""

_INK = {False: ("#1f2a2e", "#d5dcdc"), True: ("#dfe6e6", "#3c484d")}
AnyChart = TypeVar("AnyChart", alt.Chart, alt.LayerChart)


def titled(chart: alt.Chart, title: str | alt.TitleParams, **encodings: Any) -> alt.Chart:
    """A chart with its meaning above it, as wide as there is room, a row of fixed height for each of its bars."""
    return plain(chart.encode(**encodings).properties(title=title, width="container", height=ROW))


def plain(chart: AnyChart) -> AnyChart:
    """Without background and frame."""
    bare: AnyChart = chart.configure(background="transparent").configure_view(stroke=None)
    return bare


def themed(chart: AnyChart, dark: bool, width: int = WIDTH) -> AnyChart:
    """The same chart for a page of its own: in colours for a light or a dark ground, and of a fixed width."""
    ink, grid = _INK[dark]
    written: dict[str, Any] = {"labelColor": ink, "titleColor": ink}
    seen: AnyChart = (
        chart.properties(width=width)
        .configure_axis(**written, domainColor=grid, gridColor=grid, tickColor=grid)
        .configure_legend(**written)
        .configure_title(color=ink, subtitleColor=ink)
    )
    return seen


def named(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """What has no name is told so."""
    return frame.with_columns(pl.col(column).replace("", None).fill_null(NO_NAME))


def first(title: str, shown: int, total: int, noun: str) -> str:
    """A title that says so when not all is shown."""
    return title if total <= shown else f"{title} (first {shown} of {total:,} {noun})"
