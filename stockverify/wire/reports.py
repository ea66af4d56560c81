"""Queries, snapshots and runs. Rows are objects of any fields, as a query asks for them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, field

from stockverify.wire.common import Id, Name, Reply, Request, Text


class GroupBy(Request, frozen=True, kw_only=True):
    """Instants by the day, week or month that they fall into in a zone. The result has it as `{field}_{by}`: the date
    of its first day; weeks begin on Monday."""

    field: Name
    by: Name
    zone: Name = "UTC"


class QuerySpec(Request, frozen=True, kw_only=True):
    """A report query as clients write it; analytics.query checks it against the dataset's declared columns."""

    collection: Name
    calculated: dict[str, str] = field(default_factory=dict)
    filters: dict[str, Any] = field(default_factory=dict)
    group_by: Sequence[Name | GroupBy] = field(default_factory=list)
    aggregations: Mapping[str, Name | list[Name]] = field(default_factory=dict)
    having: dict[str, Any] = field(default_factory=dict)
    sort: dict[str, int] = field(default_factory=dict)
    limit: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    skip: Annotated[int, Meta(ge=0, le=2**53)] = 0


class PreviewSpec(QuerySpec, frozen=True, kw_only=True):
    """POST /api/reports/query/preview; with `snapshot_id` on the data of that snapshot instead of on live data. That of
    a report stands for all data of the moment from which it was made."""

    snapshot_id: Id | None = None


class CreateSnapshot(Request, frozen=True, kw_only=True):
    """POST /api/reports/snapshots"""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    query_spec: QuerySpec
    description: Text = ""
    snapshot_type: Name = "custom"
    tags: list[Name] = field(default_factory=list)


class RequestRun(Request, frozen=True, kw_only=True):
    """POST /api/reports/runs asks the worker for something now."""

    kind: Name = "materialise"
    name: Name | None = None


class Run(Reply, frozen=True, kw_only=True):
    """What the worker did, does or will do."""

    run_id: str
    kind: str
    status: str
    requested_by: str
    requested_at: float
    finished_at: float | None
    snapshot_id: str | None
    error: str | None
    name: str = ""
    schedule_id: str | None = None
    purpose: str = "now"
    due_at: float | None = None
    started_at: float | None = None
    seconds: float | None = None
    late: bool = False
    attempts: int = 0
    result: dict[str, Any] = field(default_factory=dict)
    note: str = ""


Row = dict[str, Any]


class PreviewReply(Reply, frozen=True, kw_only=True):
    """Rows of a query, with the pipeline that gave them; positions come from a snapshot, all else is live."""

    collection: str
    row_count: int
    rows: list[Row]
    pipeline: list[Row]
    snapshot_id: str | None
    as_of: float


class Field(Reply, frozen=True, kw_only=True):
    """A column that can be asked for."""

    name: str
    type: str
    meaning: str


class CollectionsReply(Reply, frozen=True, kw_only=True):
    """What can be asked: collections, their fields, and the aggregations."""

    collections: list[str]
    fields: dict[str, list[Field]]
    aggregations: list[str]


class SnapshotSummary(Reply, frozen=True, kw_only=True):
    """Which frozen moment a snapshot's rows come from; a report snapshot also has the totals of its numbers."""

    as_of: float
    freeze_id: str
    totals: dict[str, float] | UnsetType = UNSET


class Snapshot(Reply, frozen=True, kw_only=True):
    """A snapshot in the list of all; those of type `stock` hold everything of one moment."""

    snapshot_id: str
    name: str
    description: str
    snapshot_type: str
    query_spec: QuerySpec
    summary: SnapshotSummary
    row_count: int
    execution_time_ms: float
    created_by: str
    created_at: float
    tags: list[str]
    freeze_id: str
    refreshed_from: str | None = None
    pinned: bool = False


class Pagination(Reply, frozen=True, kw_only=True):
    """Where a page stands among all rows."""

    skip: int
    limit: int
    total: int
    has_more: bool


class SnapshotPage(Reply, frozen=True, kw_only=True):
    """One page of a snapshot's rows."""

    snapshot_id: str
    name: str
    summary: SnapshotSummary
    row_count: int
    rows: list[Row]
    pagination: Pagination
    as_of: float


class SnapshotDeleted(Reply, frozen=True, kw_only=True):
    """What delete answers."""

    snapshot_id: str
    success: bool = True


class SnapshotPinned(Reply, frozen=True, kw_only=True):
    """What pin and unpin answer."""

    snapshot_id: str
    pinned: bool
    success: bool = True
