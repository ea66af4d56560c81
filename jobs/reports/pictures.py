"""Charts of mails: the same as those of the dashboard, as PNG, because mail programs draw nothing themselves.

A mail program in dark mode keeps pictures as they are, so each has a ground of its own that is neither white nor
black, and words that can be read on it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import altair as alt
import polars as pl
import vl_convert

from analytics import charts
from analytics.figures import Overview

GROUND = "#e8eeee"
WIDTH = 300
"""Pixels of half a mail, which is also the width of a narrow window; drawn twice as fine."""
_FINE = 2.0
_GRID, _INK = "#c3cece", "#1f2a2e"
MOST_BARS = 10
_PADDING = 10


class Drawing(NamedTuple):
    """A chart with its title, which stands above it as text that can be read out and enlarged."""

    name: str
    title: str
    spec: dict[str, Any]


def of_overview(found: Overview, currency: str) -> list[Drawing]:
    """The charts of a snapshot that have something to show."""
    floors, racks = found.by_floor, found.by_rack
    kept = [
        _drawing("progress", charts.progress_by_floor(floors.head(MOST_BARS)), min(floors.height, MOST_BARS), 34),
        _drawing("quantities", charts.verified_against_book(floors.head(MOST_BARS)), min(floors.height, MOST_BARS), 40),
        _variances("categories", found.by_category, charts.variance_by_category, currency),
        _variances("racks", racks, charts.biggest_rack_variances, currency),
    ]
    return [each for each in kept if each is not None]


def of_spec(name: str, title: str, spec: dict[str, Any], rows: int) -> Drawing:
    """A chart that is there as a spec: plain bars of a query's rows. Its title tells what its axes are."""
    said = spec["encoding"].items()
    axes = {axis: encoding | {"title": None} if axis in ("x", "y") else encoding for axis, encoding in said}
    return Drawing(name, title, _sized(spec | {"encoding": axes}, rows, 22))


def drawn(drawing: Drawing, folder: Path) -> Path:
    """The picture as a file."""
    path = folder / f"{drawing.name}.png"
    path.write_bytes(vl_convert.vegalite_to_png(json.dumps(drawing.spec), scale=_FINE))
    return path


def _variances(
    name: str, frame: pl.DataFrame, draw: Callable[[pl.DataFrame, int, str], alt.Chart], currency: str
) -> Drawing | None:
    varied = frame.filter(pl.col("net_variance_value") != 0).height
    return _drawing(name, draw(frame, MOST_BARS, currency), min(varied, MOST_BARS), 24) if varied else None


def _drawing(name: str, chart: alt.Chart, rows: int, step: int) -> Drawing | None:
    spec = chart.to_dict()
    return Drawing(name, _title(spec), _sized(spec, rows, step)) if rows else None


def _title(spec: dict[str, Any]) -> str:
    title = spec.get("title", "")
    return str(title.get("text", "")) if isinstance(title, dict) else str(title)


def _sized(spec: dict[str, Any], rows: int, step: int) -> dict[str, Any]:
    """As wide as a column of the mail, whatever its labels need; the title goes above it."""
    written = {"labelColor": _INK, "titleColor": _INK, "labelLimit": 110}
    config = spec.get("config", {}) | {
        "axis": {**written, "domainColor": _GRID, "gridColor": _GRID, "tickColor": _GRID, "labelFontSize": 11},
        # In a narrow picture a long title of an axis is wider than its axis.
        "axisX": {"titleAnchor": "end", "titleAlign": "right", "titleFontSize": 10},
        "legend": {**written, "orient": "top", "title": None},
        "font": "sans-serif",
        "background": GROUND,
    }
    size = {"width": WIDTH - 2 * _PADDING, "height": max(rows, 1) * step, "padding": _PADDING}
    fit = {"autosize": {"type": "fit-x", "contains": "content"}}
    return {name: value for name, value in spec.items() if name != "title"} | {"config": config, **size, **fit}
