"""What a workbook's summary and a PDF's cover tell of the rows: a few figures, one breakdown, and charts."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import polars as pl

from analytics.compare import Comparison, Contributions, Kind
from analytics.export.tallies import Tally
from analytics.figures import (
    FIGURES,
    TRENDS,
    Overview,
    Tolerance,
    Totals,
    figure_of,
    overview,
    points,
    so_far,
    totals_of,
)
from analytics.lake import UNREADABLE, Freeze, Lake

SHOWN_GROUPS = 15
_NO_NAME = "(none)"
_FIGURES = {figure.name: figure for figure in FIGURES}
_MOVED = ("counted_lines", "verified_units", "net_variance_units", "net_variance_value")


class Tile(NamedTuple):
    """One figure. `unit` is lines, units, value or share, as in analytics.figures; null is a share of nothing."""

    title: str
    value: float | None
    unit: str


class Breakdown(NamedTuple):
    """Some numbers of each group, largest first: what a chart of the file shows. The title says when it has not all."""

    title: str
    by: str
    series: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class Insight(NamedTuple):
    """`charts` gives Vega-Lite specs with times in a zone and amounts in a currency, if one is known; making them takes
    a second, so only who draws them asks."""

    tiles: tuple[Tile, ...]
    breakdown: Breakdown | None
    charts: Callable[[str, str], Iterator[dict[str, Any]]]


def of_positions(lake: Lake, snapshot_id: str, tolerance: Tolerance) -> Insight:
    """The figures and charts of a snapshot, as the dashboard shows them."""
    found = overview(lake, snapshot_id, tolerance)
    tiles = tuple(Tile(figure.title, getattr(found.totals, figure.name), figure.unit) for figure in FIGURES)
    floors = found.by_floor.select(pl.col("floor").fill_null(_NO_NAME), "book_units", "verified_units")
    size = pl.max_horizontal(pl.col("book_units", "verified_units").abs())
    largest = floors.sort(size, "floor", descending=[True, False])
    rows = tuple(largest.head(SHOWN_GROUPS).iter_rows())
    title = f"Book and verified units of counted lines, by floor{_of_many(floors.height)}"
    breakdown = Breakdown(title, "Floor", ("Book", "Verified"), rows) if rows else None
    return Insight(tiles, breakdown, partial(_charts_of_positions, lake, found, tolerance))


def of_differences(found: Comparison, why: Contributions | None) -> Insight:
    """How many rows differ and how the totals moved; what moved the total that `why` explains, or else the columns."""
    kinds = {"Rows added": Kind.ADDED, "Rows removed": Kind.REMOVED, "Rows changed": Kind.CHANGED}
    rows = [Tile(title, found.number(kind), "lines") for title, kind in kinds.items()]
    moved = [
        Tile(f"Change of {_FIGURES[name].title.lower()}", step.absolute_diff, _FIGURES[name].unit)
        for name, step in found.summary.items()
        if name in _MOVED
    ]
    tiles = (*rows, Tile("Rows unchanged", found.manifest.unchanged, "lines"), *moved)
    return Insight(tiles, _moved(found, why), partial(_charts_of_differences, found, why))


def of_tally(tally: Tally) -> Insight:
    """The number of rows, the sums, and the largest groups of any table."""
    tiles = (Tile("Rows", tally.rows, "lines"), *(Tile(f"Sum of {name}", value, "") for name, value in tally.sums()))
    found = tally.largest(SHOWN_GROUPS)
    if found is None or not found.height:
        return Insight(tiles, None, lambda *_: iter(()))
    by, measured = found.columns
    rows = tuple(found.select(pl.col(by).fill_null(_NO_NAME), measured).iter_rows())
    title = f"{tally.measured} by {by}{_of_many(tally.groups)}"
    breakdown = Breakdown(title, by, (tally.measured,), rows)
    return Insight(tiles, breakdown, partial(_bars, breakdown))


def _moved(found: Comparison, why: Contributions | None) -> Breakdown | None:
    if why is not None and why.parts:
        shown = why.parts[:SHOWN_GROUPS]
        others = why.other.change + sum(part.change for part in why.parts[SHOWN_GROUPS:])
        rows = [(part.group or _NO_NAME, part.change) for part in shown]
        rows += [("All others", others)] if others else []
        total = _FIGURES[why.total].title if why.total in _FIGURES else why.total
        return Breakdown(f"What moved the total: {total}", _worded(why.by), ("Change",), tuple(rows))
    columns = sorted(found.column_changes.items(), key=lambda column: (-column[1], column[0]))
    title = f"Changed rows, by the column that differs{_of_many(len(columns))}"
    return Breakdown(title, "Column", ("Rows",), tuple(columns[:SHOWN_GROUPS])) if columns else None


def _of_many(groups: int) -> str:
    """What a title adds when there are more groups than are shown."""
    return f", the largest {SHOWN_GROUPS} of {groups:,}" if groups > SHOWN_GROUPS else ""


def _worded(column: str) -> str:
    words = column.removesuffix("_id").replace("_", " ")
    return words[:1].upper() + words[1:]


def _charts_of_positions(
    lake: Lake, found: Overview, tolerance: Tolerance, zone: str, currency: str
) -> Iterator[dict[str, Any]]:
    """Those that a reader wants first come first; what there is nothing of is left out."""
    from analytics import charts  # noqa: PLC0415 - altair takes half a second, and most files have no chart of it

    if not found.totals.lines:
        return
    yield charts.progress_map(found.by_rack).to_dict()
    if not found.totals.counted_lines:
        return
    yield charts.variance_waterfall(found.by_category, currency=currency).to_dict()
    yield charts.biggest_rack_variances(found.by_rack, currency=currency).to_dict()
    yield charts.accuracy_by_floor(found.by_floor).to_dict()
    yield charts.verified_against_book(found.by_floor).to_dict()
    if found.totals.damage_units:
        yield charts.damage_by_category(found.by_category).to_dict()
    seen = _so_far(lake, found, tolerance)
    for name in TRENDS if len(seen) > 1 else ():
        yield charts.trend(figure_of(name), points(name, seen), zone, currency).to_dict()


def _so_far(lake: Lake, found: Overview, tolerance: Tolerance) -> list[tuple[Freeze, Totals]]:
    """The snapshots before and their totals. One that is damaged or was just removed is no reason to make no file."""
    seen = []
    for freeze in so_far(lake.freezes(), found.freeze.snapshot_id):
        with suppress(*UNREADABLE):
            own = freeze.snapshot_id == found.freeze.snapshot_id
            seen.append((freeze, found.totals if own else totals_of(lake, freeze.snapshot_id, tolerance)))
    return seen


def _charts_of_differences(
    found: Comparison, why: Contributions | None, _: str, currency: str
) -> Iterator[dict[str, Any]]:
    from analytics import charts  # noqa: PLC0415 - as above

    if why is not None:
        yield charts.contributions_waterfall(why, currency).to_dict()
    if found.column_changes:
        yield charts.changes_by_column(found.column_changes).to_dict()


def _bars(shown: Breakdown, *_: str) -> Iterator[dict[str, Any]]:
    from analytics import charts  # noqa: PLC0415 - as above

    yield charts.bars(shown.title, shown.by, shown.series[0], shown.rows).to_dict()
