"""What pages read from the lake, each kept in memory under the id of the snapshot that it was read from.

Nothing here depends on who is signed in. Published snapshots never change, so what is kept never goes stale.
"""

from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl
import streamlit as st

from analytics.compare import Comparison
from analytics.compare import compare as compare_snapshots
from analytics.figures import Overview, Tolerance
from analytics.figures import overview as read_overview
from analytics.lake import Lake
from analytics.query import QueryResult, checked, run
from dashboard.context import lake_at
from dashboard.views.attention import Doubts
from stockverify.datasets import POSITIONS, RECORDS, Dataset, find
from stockverify.wire.reports import QuerySpec

BIGGEST = 20
_VARIED = {"variance_value": {"exists": True, "ne": 0}}


class Biggest(NamedTuple):
    """The lines with the largest variance in value, largest first, and how many lines have one."""

    rows: pl.DataFrame
    total: int


@st.cache_data(max_entries=32, show_spinner="Reading the snapshot …")
def overview(root: Path, snapshot_id: str, tolerance: Tolerance) -> Overview:
    """The figures of a snapshot."""
    return read_overview(lake_at(root), snapshot_id, tolerance)


@st.cache_data(max_entries=32, show_spinner=False)
def doubts(root: Path, snapshot_id: str) -> Doubts:
    """What the figures alone do not tell."""
    lake = lake_at(root)

    def records(**filters: object) -> int:
        return count(lake, snapshot_id, QuerySpec(collection=RECORDS.name, filters=filters))

    def lines(**filters: object) -> int:
        return count(lake, snapshot_id, QuerySpec(collection=POSITIONS.name, filters=filters))

    return Doubts(
        not_in_book=lines(in_book=False, counted=True),
        without_cost=lines(counted=True, unit_cost=None, variance_qty={"ne": 0}),
        unknown_items=records(unknown_item=True),
        partial_records=records(status="partial"),
    )


@st.cache_data(max_entries=32, show_spinner=False)
def biggest(root: Path, snapshot_id: str) -> Biggest:
    """The most negative and the most positive variances hold the largest ones of both together."""
    lake = lake_at(root)
    spec = QuerySpec(collection=POSITIONS.name, filters=_VARIED, limit=BIGGEST)
    ends = [
        run(lake, snapshot_id, checked(msgspec.structs.replace(spec, sort={"variance_value": way}))).frame
        for way in (1, -1)
    ]
    size = pl.col("variance_value").abs()
    both = pl.concat(ends).unique(POSITIONS.key, maintain_order=True)
    rows = both.sort([size, *POSITIONS.key], descending=[True, False, False, False]).head(BIGGEST)
    return Biggest(rows, count(lake, snapshot_id, spec))


@st.cache_data(max_entries=64, show_spinner="Asking the snapshot …")
def answer(root: Path, snapshot_id: str, spec: bytes) -> QueryResult:
    """The rows of a query, which comes as the JSON of a QuerySpec."""
    return run(lake_at(root), snapshot_id, checked(msgspec.json.decode(spec, type=QuerySpec)))


@st.cache_data(max_entries=64, show_spinner=False)
def size(root: Path, snapshot_id: str, spec: bytes) -> int:
    """How many rows a query has without its limit."""
    return count(lake_at(root), snapshot_id, msgspec.json.decode(spec, type=QuerySpec))


@st.cache_data(max_entries=8, ttl=86_400, show_spinner="Comparing …")
def comparison(root: Path, baseline: str, snapshot_id: str, dataset: str) -> Comparison:
    """What changed between two snapshots. Asked anew each day, so that its files count as used."""
    return compare_snapshots(lake_at(root), baseline, snapshot_id, dataset)


def count(lake: Lake, snapshot_id: str, spec: QuerySpec) -> int:
    """Rows without the limit: those of a plain query are counted, the groups of a grouped one are made and counted."""
    whole = msgspec.structs.replace(spec, limit=None, skip=0, sort={})
    if spec.group_by or spec.aggregations:
        return run(lake, snapshot_id, checked(whole)).row_count
    key = _dataset(spec).key[-1]
    result = run(lake, snapshot_id, checked(msgspec.structs.replace(whole, aggregations={key: "count"})))
    return int(result.frame[f"{key}_count"].sum())


def _dataset(spec: QuerySpec) -> Dataset:
    dataset = find(spec.collection)
    assert dataset is not None, spec.collection  # noqa: S101 - only names of the table of datasets come here
    return dataset
