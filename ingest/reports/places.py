"""What a place stands for in the lake, and how a freeze is shown. For the reports process."""

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from analytics import reports
from analytics.lake import Freeze, Lake
from analytics.lake.ids import is_snapshot_id
from analytics.lake.reports import ReportManifest
from analytics.query import Query, QueryResult, checked, run
from ingest.reports.errands import Place, Report
from stockverify.datasets import POSITIONS
from stockverify.errors import NotFound
from stockverify.wire.reports import QuerySpec, Snapshot, SnapshotSummary

STOCK = "stock"
WORKER = "worker"


class SnapshotUnknown(NotFound):
    """Snapshot {snapshot_id} is not known. GET /api/reports/snapshots lists all."""


class Source(NamedTuple):
    """A freeze and the query on it. `freeze` is set when the place is the freeze itself, `report` when it is that."""

    freeze_id: str
    spec: QuerySpec
    freeze: Freeze | None
    report: Report | None


def source_of(lake: Lake, place: Place) -> Source:
    """What a place stands for. Raises SnapshotUnknown, or what the lake raises for a freeze."""
    if isinstance(place, Report):
        return Source(place.freeze_id, place.spec, None, place if place.report_id else None)
    freeze = freeze_of(lake, place)
    return Source(freeze.snapshot_id, QuerySpec(collection=POSITIONS.name), freeze, None)


def freeze_of(lake: Lake, snapshot_id: str) -> Freeze:
    """The freeze of that id, `latest` or `previous`. Raises SnapshotUnknown, or what the lake raises."""
    if not is_snapshot_id(snapshot_id) and snapshot_id not in ("latest", "previous"):
        raise SnapshotUnknown(snapshot_id=snapshot_id[:80])
    return lake.freeze(lake.resolve(snapshot_id))


def kept(lake: Lake, report: Report, now: datetime) -> ReportManifest:
    """The rows of a report snapshot, computed now if they never were. Raises SnapshotUnknown for one without an id."""
    if report.report_id is None:
        raise SnapshotUnknown(snapshot_id=report.freeze_id)
    asked = msgspec.to_builtins(report.spec)
    return reports.kept(lake, report.report_id, report.freeze_id, checked(report.spec), asked, now)


def rows(lake: Lake, source: Source, skip: int, limit: int) -> QueryResult:
    """Some of the rows that a place stands for: those that a report keeps, or those of a freeze."""
    query = checked(source.spec)
    if source.report:
        return reports.rows(lake, kept(lake, source.report, datetime.now(UTC)), query, skip, limit)
    return run(lake, source.freeze_id, page_of(query, skip, limit))


def shown(freeze: Freeze) -> Snapshot:
    """A freeze in the list of snapshots; the query that it stands for is that for all positions."""
    return Snapshot(
        snapshot_id=freeze.snapshot_id,
        name=freeze.name or f"Stock as of {freeze.as_of:%Y-%m-%d %H:%M} UTC",
        description="All records, sessions, items and positions of one moment",
        snapshot_type=STOCK,
        query_spec=QuerySpec(collection=POSITIONS.name),
        summary=SnapshotSummary(as_of=freeze.as_of.timestamp(), freeze_id=freeze.snapshot_id),
        freeze_id=freeze.snapshot_id,
        row_count=freeze.rows,
        execution_time_ms=0.0,
        created_by=WORKER,
        created_at=freeze.created_at.timestamp(),
        tags=[],
    )


def page_of(query: Query, skip: int, limit: int) -> Query:
    """The same query, for one page of its rows."""
    left = None if query.limit is None else max(query.limit - skip, 0)
    return msgspec.structs.replace(query, skip=query.skip + skip, limit=limit if left is None else min(limit, left))
