"""The figures of a whole snapshot, and of one figure over many."""

from collections.abc import Sequence
from typing import Any

import polars as pl
from msgspec import Struct

from analytics.figures import kept
from analytics.figures.declared import EXACT, Figure, Tolerance
from analytics.figures.groups import coarser, grouped_parts, parts, totals, totals_of_parts
from analytics.figures.kept import Sums
from analytics.figures.stock import STOCK, Totals
from analytics.figures.work import WORK, Work, WorkTotals, work
from analytics.lake import Freeze, Lake
from stockverify.datasets import POSITIONS, RECORDS, SESSIONS
from stockverify.errors import BadInput

TRENDS = ("progress", "net_variance_value")
"""The figures that pages and files show over time."""
MOST_SNAPSHOTS = 24
"""So many snapshots a trend shows. Each costs one pass over its positions."""


class UnknownFigure(BadInput):
    """There is no figure {name!r}; use one of: {known}."""


class Overview(Struct, frozen=True):
    """One snapshot at a glance. The frames have the group's columns and then one column per figure, sorted by group."""

    freeze: Freeze
    totals: Totals
    by_floor: pl.DataFrame
    by_rack: pl.DataFrame
    by_category: pl.DataFrame
    work: Work


def overview(lake: Lake, snapshot_id: str, tolerance: Tolerance = EXACT) -> Overview:
    """The figures of a snapshot. Raises what the lake raises for an unknown or damaged snapshot."""
    for dataset in (POSITIONS, RECORDS, SESSIONS):  # figures of what cannot be read any more are not shown either
        lake.files(dataset.name, snapshot_id)
    sums = kept.read(lake, snapshot_id, tolerance) or _sums(lake, snapshot_id, tolerance)
    return Overview(
        freeze=lake.freeze(snapshot_id),
        totals=totals_of_parts(sums.by_rack),
        by_floor=grouped_parts(sums.by_rack, "floor"),
        by_rack=grouped_parts(sums.by_rack, "floor", "rack_id"),
        by_category=grouped_parts(sums.by_category, "category"),
        work=sums.work,
    )


def totals_of(lake: Lake, snapshot_id: str, tolerance: Tolerance = EXACT) -> Totals:
    """The figures of all positions of a snapshot, without groups: a third of what an overview costs."""
    by_rack = _by_rack(lake, snapshot_id, tolerance)
    return totals(_positions(lake, snapshot_id), tolerance) if by_rack is None else totals_of_parts(by_rack)


def stock_of(lake: Lake, snapshot_id: str) -> Totals:
    """The same for whoever looks at none but figures in which the tolerance has no part: those that were kept with any
    tolerance will do."""
    by_rack = _by_rack(lake, snapshot_id)
    return totals(_positions(lake, snapshot_id)) if by_rack is None else totals_of_parts(by_rack)


def keep(lake: Lake, snapshot_id: str, tolerance: Tolerance) -> None:
    """Work out the figures of a snapshot, and keep them for whoever asks with that tolerance. Raises what the lake
    raises, or OSError."""
    kept.write(lake, snapshot_id, tolerance, _sums(lake, snapshot_id, tolerance))


def so_far(known: Sequence[Freeze], snapshot_id: str, most: int = MOST_SNAPSHOTS) -> list[Freeze]:
    """Of all snapshots, newest first, the last so many up to this one, oldest first."""
    return [freeze for freeze in known if freeze.snapshot_id <= snapshot_id][:most][::-1]


def figure_of(name: str) -> Figure:
    """The figure of that name. Raises UnknownFigure."""
    known = {figure.name: figure for figure in (*STOCK, *WORK)}
    if name not in known:
        raise UnknownFigure(name=name[:80], known=", ".join(known))
    return known[name]


def trend(lake: Lake, name: str, snapshot_ids: Sequence[str], tolerance: Tolerance = EXACT) -> pl.DataFrame:
    """One figure over snapshots: columns snapshot_id, as_of and value, in the order given. Costs one pass over each.

    Raises UnknownFigure, or what the lake raises.
    """
    stock = {figure.name for figure in STOCK}
    figure_of(name)
    return points(
        name,
        [
            (
                lake.freeze(snapshot_id),
                totals_of(lake, snapshot_id, tolerance) if name in stock else _work(lake, snapshot_id).totals,
            )
            for snapshot_id in snapshot_ids
        ],
    )


def points(name: str, seen: Sequence[tuple[Freeze, Totals | WorkTotals]]) -> pl.DataFrame:
    """The same of totals that were read already: several figures over the same snapshots cost one pass over each."""
    rows = [(freeze.snapshot_id, freeze.as_of, getattr(found, name)) for freeze, found in seen]
    columns: dict[str, Any] = {"snapshot_id": pl.String, "as_of": pl.Datetime("ms", "UTC"), "value": pl.Float64}
    return pl.DataFrame(rows, schema=columns, orient="row", strict=False)


def _sums(lake: Lake, snapshot_id: str, tolerance: Tolerance) -> Sums:
    found = parts(_positions(lake, snapshot_id), "floor", "rack_id", "category", tolerance=tolerance)
    by_rack, by_category = coarser(found, "floor", "rack_id"), coarser(found, "category")
    return Sums(by_rack, by_category, _work(lake, snapshot_id))


def _by_rack(lake: Lake, snapshot_id: str, tolerance: Tolerance | None = None) -> pl.DataFrame | None:
    """The kept sums of each rack, with that tolerance or with any. Those of some floors are among those of the whole
    lake, so that a trend within a scope needs no copies of its snapshots. Raises what the lake raises."""
    lake.whole.files(POSITIONS.name, snapshot_id)  # what cannot be read any more is not shown either
    if (sums := kept.read(lake.whole, snapshot_id, tolerance)) is None:
        return None
    return sums.by_rack.filter(pl.col("floor").is_in(lake.floors)) if lake.floors else sums.by_rack


def _positions(lake: Lake, snapshot_id: str) -> pl.LazyFrame:
    return pl.scan_parquet(lake.files(POSITIONS.name, snapshot_id), glob=False)


def _work(lake: Lake, snapshot_id: str) -> Work:
    return work(lake.files(RECORDS.name, snapshot_id), lake.files(SESSIONS.name, snapshot_id))
