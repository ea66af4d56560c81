"""What a workbook's summary and a PDF's cover tell of the rows: a few figures, one breakdown, and charts."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import polars as pl

from analytics.export.tallies import Tally
from analytics.figures import FIGURES, Overview, Tolerance, overview
from analytics.lake import Lake

SHOWN_GROUPS = 15
_NO_NAME = "(none)"


class Tile(NamedTuple):
    """One figure. `unit` is lines, units, value or share, as in analytics.figures; null is a share of nothing."""

    title: str
    value: float | None
    unit: str


class Breakdown(NamedTuple):
    """Some numbers of each group, largest first: what a chart of the file shows."""

    title: str
    by: str
    series: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class Insight(NamedTuple):
    """`charts` gives Vega-Lite specs; making them takes a second, so only who draws them asks."""

    tiles: tuple[Tile, ...]
    breakdown: Breakdown | None
    charts: Callable[[], Iterator[dict[str, Any]]]


def of_positions(lake: Lake, snapshot_id: str, tolerance: Tolerance) -> Insight:
    """The figures and charts of a snapshot, as the dashboard shows them."""
    found = overview(lake, snapshot_id, tolerance)
    tiles = tuple(Tile(figure.title, getattr(found.totals, figure.name), figure.unit) for figure in FIGURES)
    floors = found.by_floor.select(pl.col("floor").fill_null(_NO_NAME), "book_units", "verified_units")
    rows = tuple(floors.head(SHOWN_GROUPS).iter_rows())
    title = "Book and verified units of counted lines, by floor"
    breakdown = Breakdown(title, "Floor", ("Book", "Verified"), rows) if rows else None
    return Insight(tiles, breakdown, partial(_charts_of_positions, found))


def of_tally(tally: Tally) -> Insight:
    """The number of rows, the sums, and the largest groups of any table."""
    tiles = (Tile("Rows", tally.rows, "lines"), *(Tile(f"Sum of {name}", value, "") for name, value in tally.sums()))
    found = tally.largest(SHOWN_GROUPS)
    if found is None or not found.height:
        return Insight(tiles, None, lambda: iter(()))
    by, measured = found.columns
    rows = tuple(found.select(pl.col(by).fill_null(_NO_NAME), measured).iter_rows())
    title = f"{tally.measured} by {by}" + (f", the largest {SHOWN_GROUPS}" if tally.groups > SHOWN_GROUPS else "")
    breakdown = Breakdown(title, by, (tally.measured,), rows)
    return Insight(tiles, breakdown, partial(_bars, breakdown))


def _charts_of_positions(found: Overview) -> Iterator[dict[str, Any]]:
    from analytics import charts  # noqa: PLC0415 - altair takes half a second, and most files have no chart of it

    yield charts.progress_by_floor(found.by_floor).to_dict()
    yield charts.verified_against_book(found.by_floor).to_dict()
    yield charts.variance_by_category(found.by_category).to_dict()
    yield charts.biggest_rack_variances(found.by_rack).to_dict()


def _bars(shown: Breakdown) -> Iterator[dict[str, Any]]:
    """Plain bars; the names of columns are data here and never words of the chart's language."""
    yield {
        "title": shown.title,
        "data": {"values": [{"group": str(group), "value": value} for group, value in shown.rows]},
        "mark": {"type": "bar", "color": "#0072B2"},
        "height": {"step": 18},
        "encoding": {
            "y": {"field": "group", "type": "nominal", "title": shown.by, "sort": None},
            "x": {"field": "value", "type": "quantitative", "title": shown.series[0]},
        },
    }
