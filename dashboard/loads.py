"""What pages read from the lake, each kept in memory under the id of the snapshot that it was read from.

Nothing here depends on who is signed in. Published snapshots never change, so what is kept never goes stale.
"""

from contextlib import suppress
from pathlib import Path

import msgspec
import streamlit as st

from analytics.compare import Comparison, Contributions, moved, parsed
from analytics.compare import compare as compare_snapshots
from analytics.figures import Overview, Tolerance, Totals
from analytics.figures import overview as read_overview
from analytics.figures import totals_of as read_totals
from analytics.glance import findings
from analytics.glance.attention import Doubts
from analytics.glance.findings import Biggest
from analytics.query import QueryResult, checked, run
from dashboard.context import lake_at
from stockverify.wire.reports import QuerySpec


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


@st.cache_data(max_entries=64, show_spinner="Asking the snapshot …")
def answer(root: Path, snapshot_id: str, spec: bytes) -> QueryResult:
    """The rows of a query, which comes as the JSON of a QuerySpec."""
    return run(lake_at(root), snapshot_id, checked(msgspec.json.decode(spec, type=QuerySpec)))


@st.cache_data(max_entries=64, show_spinner=False)
def size(root: Path, snapshot_id: str, spec: bytes) -> int:
    """How many rows a query has."""
    asked = msgspec.json.decode(spec, type=QuerySpec)
    found = max(0, findings.count(lake_at(root), snapshot_id, asked) - asked.skip)
    return found if asked.limit is None else min(found, asked.limit)


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


@st.cache_data(ttl=60, max_entries=4, show_spinner=False)
def lake_bytes(root: Path) -> int:
    """Room that the lake takes on the disk. Snapshots share unchanged files, and each file counts once."""
    sizes: dict[tuple[int, int], int] = {}
    for path in root.rglob("*") if root.is_dir() else ():
        with suppress(OSError):  # retention may remove it at this moment
            found = path.stat()
            sizes[found.st_dev, found.st_ino] = found.st_size if path.is_file() else 0
    return sum(sizes.values())
