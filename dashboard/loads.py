"""What pages read from the lake, each kept in memory under the id of the snapshot that it was read from.

Nothing here depends on who is signed in. Published snapshots never change, so what is kept never goes stale.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec
import polars as pl
import streamlit as st

from analytics.anomalies import evidence as read_evidence
from analytics.compare import Comparison, Contributions, moved, parsed
from analytics.compare import compare as compare_snapshots
from analytics.figures import Overview, Tolerance, Totals
from analytics.figures import overview as read_overview
from analytics.figures import totals_of as read_totals
from analytics.glance import findings
from analytics.glance.attention import Doubts
from analytics.glance.kept import Biggest
from analytics.lake.reports import Reports
from analytics.profile import Profile
from analytics.profile import profile as read_profile
from analytics.query import QueryResult, checked, run
from analytics.reports import rows as read_report_rows
from analytics.watching import Watch
from dashboard.context import lake_at
from stockverify.datasets import DATASETS
from stockverify.wire.reports import QuerySpec

MOST_VALUES = 200
T = TypeVar("T")


class Ask(Protocol):
    """How somebody waits for an answer that takes long."""

    def __call__(self, make: Callable[[Watch], T], /) -> T:
        """The answer that `make` makes."""


@st.cache_data(max_entries=32, show_spinner="Reading the snapshot …")
def overview(root: Path, snapshot_id: str, tolerance: Tolerance) -> Overview:
    """The figures of a snapshot."""
    return read_overview(lake_at(root), snapshot_id, tolerance)


@st.cache_data(max_entries=512, show_spinner=False)
def totals(root: Path, snapshot_id: str, tolerance: Tolerance) -> Totals:
    """The figures of all positions of a snapshot, for what looks at many snapshots."""
    return read_totals(lake_at(root), snapshot_id, tolerance)


@st.cache_data(max_entries=32, show_spinner=False)
def doubts(root: Path, snapshot_id: str) -> Doubts:
    """What the figures alone do not tell."""
    return findings.doubts(lake_at(root), snapshot_id)


@st.cache_data(max_entries=32, show_spinner=False)
def biggest(root: Path, snapshot_id: str) -> Biggest:
    """The lines with the largest variance in value."""
    return findings.biggest(lake_at(root), snapshot_id)


def here(make: Callable[[Watch], T]) -> T:
    """Makes an answer at once, and waits for it."""
    return make(Watch())


@st.cache_data(max_entries=64, show_spinner="Asking the snapshot …")
def answer(root: Path, snapshot_id: str, spec: bytes, _ask: Ask = here) -> QueryResult:
    """The rows of a query, which comes as the JSON of a QuerySpec. `_ask` may wait for it otherwise, and raise if there
    is none yet."""
    query = checked(msgspec.json.decode(spec, type=QuerySpec))
    return _ask(lambda watch: run(lake_at(root), snapshot_id, query, watch=watch))


@st.cache_data(max_entries=64, show_spinner="Counting the rows …")
def size(root: Path, snapshot_id: str, spec: bytes, _ask: Ask = here) -> int:
    """How many rows a query has, with `_ask` as above."""
    asked = msgspec.json.decode(spec, type=QuerySpec)
    number = _ask(lambda watch: findings.count(lake_at(root), snapshot_id, asked, watch))
    found = max(0, number - asked.skip)
    return found if asked.limit is None else min(found, asked.limit)


@st.cache_data(max_entries=64, show_spinner=False)
def values(root: Path, snapshot_id: str, dataset: str, column: str) -> tuple[str, ...]:
    """The most frequent values of a text column, for suggestions; empty ones are none."""
    measure = {column: "count"}
    spec = QuerySpec(
        collection=dataset, group_by=[column], aggregations=measure, sort={f"{column}_count": -1}, limit=MOST_VALUES
    )
    return tuple(value for value in run(lake_at(root), snapshot_id, checked(spec)).frame[column] if value)


@st.cache_data(max_entries=32, show_spinner="Reading all columns …")
def profile(root: Path, snapshot_id: str, dataset: str) -> tuple[Profile, ...]:
    """What the columns of a dataset of a snapshot hold; without a dataset it is a report snapshot."""
    if dataset:
        columns = tuple((column.name, column.type) for column in DATASETS[dataset].columns)
        return read_profile(lake_at(root).files(dataset, snapshot_id), columns)
    reports = Reports(root)
    return read_profile(reports.files(snapshot_id), reports.manifest(snapshot_id).columns)


@st.cache_data(max_entries=32, show_spinner=False)
def report_rows(root: Path, report_id: str, skip: int, limit: int) -> QueryResult:
    """Some of the rows that a report snapshot keeps."""
    manifest = Reports(root).manifest(report_id)
    query = checked(msgspec.convert(manifest.query, QuerySpec))
    return read_report_rows(lake_at(root), manifest, query, skip, limit)


@st.cache_data(max_entries=8, ttl=86_400, show_spinner="Comparing …")
def comparison(
    root: Path, baseline: str, snapshot_id: str, dataset: str, tolerances: tuple[str, ...] = ()
) -> Comparison:
    """What changed between two snapshots, with tolerances as people write them. Asked anew each day, so that its files
    count as used."""
    return compare_snapshots(lake_at(root), baseline, snapshot_id, dataset, tolerances=parsed(tolerances))


@st.cache_data(max_entries=64, show_spinner="Looking for what moved it …")
def contributions(root: Path, baseline: str, snapshot_id: str, dataset: str, total: str, by: str) -> Contributions:
    """Why a total moved between two snapshots. Tolerances of rows have no part in it."""
    return moved(lake_at(root), comparison(root, baseline, snapshot_id, dataset), total, by)


@st.cache_data(max_entries=64, show_spinner="Reading the rows …")
def evidence(root: Path, snapshot_id: str, dataset: str, proof: tuple[tuple[str, ...], ...]) -> pl.DataFrame:
    """The rows that prove a flag."""
    return read_evidence(lake_at(root), snapshot_id, dataset, proof)


@st.cache_data(ttl=60, max_entries=4, show_spinner=False)
def lake_bytes(root: Path) -> int:
    """Room that the lake takes on the disk. Snapshots share unchanged files, and each file counts once."""
    sizes: dict[tuple[int, int], int] = {}
    for path in root.rglob("*") if root.is_dir() else ():
        with suppress(OSError):  # retention may remove it at this moment
            found = path.stat()
            sizes[found.st_dev, found.st_ino] = found.st_size if path.is_file() else 0
    return sum(sizes.values())
