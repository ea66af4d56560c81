"""Snapshots as tables: the list of all, where one comes from, what uses it, and what its columns hold."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from analytics.glance.numbers import NOTHING, amount
from analytics.glance.words import heading
from analytics.lake.manifest import Manifest
from analytics.profile import Common, Profile
from dashboard.times import shown
from dashboard.views.tables import DATASET_NAMES
from stockverify.wire.lineage import SnapshotUse
from stockverify.wire.reports import Snapshot

DATA, REPORT = "Data", "Report"
STOCK = "stock"
_INSTANT = pl.Datetime("ms", "UTC")
_LIST: dict[str, Any] = {
    "kind": pl.String,
    "name": pl.String,
    "as_of": _INSTANT,
    "rows": pl.Int64,
    "tags": pl.List(pl.String),
    "pinned": pl.Boolean,
    "created_by": pl.String,
    "snapshot_id": pl.String,
}
_USES: dict[str, Any] = {
    "use": pl.String,
    "name": pl.String,
    "created_by": pl.String,
    "created_at": _INSTANT,
    "id": pl.String,
}
_KINDS = {
    "report": "Report made of it",
    "refreshed": "Report refreshed from it",
    "comparison": "Comparison",
    "schedule": "Schedule that reports on it",
}
_BASES: dict[str, Any] = {"dataset": pl.String, "base": pl.String, "because": pl.String, "rows": pl.Int64}
_PROFILE = ("column", "type", "rows", "empty", "distinct", "smallest", "largest", "mean", "commonest")


def kind_of(snapshot: Snapshot) -> str:
    """Whether it holds all data of a moment, or the rows of a query."""
    return DATA if snapshot.snapshot_type == STOCK else REPORT


def tags_of(found: Iterable[Snapshot]) -> list[str]:
    """All tags there are, by name."""
    return sorted({tag for each in found for tag in each.tags})


def matching(found: Iterable[Snapshot], text: str, kind: str | None, tags: Sequence[str]) -> list[Snapshot]:
    """Those whose name, description, id or maker has all words of the text; of several tags any one is enough."""
    words = text.casefold().split()
    return [
        each
        for each in found
        if (not kind or kind_of(each) == kind)
        and (not tags or set(tags) & set(each.tags))
        and all(word in _searched(each) for word in words)
    ]


def listed(found: Iterable[Snapshot]) -> pl.DataFrame:
    """A row for each snapshot."""
    rows = [
        {
            "kind": kind_of(each),
            "name": each.name,
            "as_of": datetime.fromtimestamp(each.summary.as_of, UTC),
            "rows": each.row_count,
            "tags": each.tags,
            "pinned": each.pinned,
            "created_by": each.created_by,
            "snapshot_id": each.snapshot_id,
        }
        for each in found
    ]
    return pl.DataFrame(rows, schema=_LIST)


def uses(found: Iterable[SnapshotUse]) -> pl.DataFrame:
    """A row for each thing that refers to a snapshot."""
    rows = [
        {
            "use": _KINDS.get(use.kind, use.kind),
            "name": use.name,
            "created_by": use.created_by,
            "created_at": datetime.fromtimestamp(use.created_at, UTC),
            "id": use.id,
        }
        for use in found
    ]
    return pl.DataFrame(rows, schema=_USES)


def bases(manifests: Iterable[Manifest]) -> pl.DataFrame:
    """What each dataset of a snapshot was built upon; without a base all of it was read anew, for a reason."""
    rows = [
        {
            "dataset": DATASET_NAMES[each.dataset],
            "base": (each.origin.base or NOTHING) if each.origin else NOTHING,
            "because": _because(each),
            "rows": each.rows,
        }
        for each in manifests
    ]
    return pl.DataFrame(rows, schema=_BASES)


def built_upon(snapshot_id: str, manifests: Iterable[Manifest]) -> list[str]:
    """The ids of the snapshots that took what had not changed from this one, newest first."""
    found = {each.snapshot_id for each in manifests if each.origin and each.origin.base == snapshot_id}
    return sorted(found, reverse=True)


def profile(found: Iterable[Profile], zone: ZoneInfo) -> pl.DataFrame:
    """A row for each column; values of different types stand as texts, with instants in the zone."""
    rows = [
        {
            "column": heading(each.name),
            "type": each.type.value,
            "rows": each.rows,
            "empty": each.nulls / each.rows if each.rows else 0.0,
            "distinct": f"{'about ' if each.about else ''}{amount(each.distinct, 'lines')}",
            "smallest": value(each.smallest, zone),
            "largest": value(each.largest, zone),
            "mean": NOTHING if each.mean is None else amount(each.mean, "units"),
            "commonest": [common(top, zone) for top in each.top],
        }
        for each in found
    ]
    schema: dict[str, Any] = dict.fromkeys(_PROFILE, pl.String)
    return pl.DataFrame(rows, schema=schema | {"rows": pl.Int64, "empty": pl.Float64, "commonest": pl.List(pl.String)})


def common(top: Common, zone: ZoneInfo) -> str:
    """A value with the number of rows that have it."""
    return f"{value(top.value, zone)} × {amount(top.rows, 'lines')}"


def value(found: Any, zone: ZoneInfo) -> str:
    """A value as a text; what is not there is a dash, and an empty text says that it is one."""
    match found:
        case None:
            return NOTHING
        case bool():
            return "yes" if found else "no"
        case int() | float():
            return amount(found, "units")
        case datetime():
            return shown(found, zone)
    return str(found) or "(empty)"


def _because(manifest: Manifest) -> str:
    if manifest.origin is None:
        return "derived from the others" if manifest.sources else NOTHING
    return "what had not changed" if manifest.origin.base else manifest.origin.because


def _searched(snapshot: Snapshot) -> str:
    texts = (snapshot.name, snapshot.description, snapshot.snapshot_id, snapshot.created_by, *snapshot.tags)
    return " ".join(texts).casefold()
