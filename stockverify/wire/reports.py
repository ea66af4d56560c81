"""Queries, snapshots, comparisons and runs. Rows are objects of any fields, as a query asks for them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

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


class Compare(Request, frozen=True, kw_only=True):
    """POST /api/reports/compare"""

    snapshot_a_id: Id
    snapshot_b_id: Id
    comparison_name: Name | None = None


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


class Change(Reply, frozen=True, kw_only=True):
    """One total on both sides; `percent_diff` is null when the baseline is 0."""

    baseline: float | None
    comparison: float | None
    absolute_diff: float | None
    percent_diff: float | None
    trend: Literal["up", "down", "stable"]


class ChangedRow(Reply, frozen=True, kw_only=True):
    """A row that both sides have with different values; `diff` holds the steps of its numbers."""

    key: Row
    baseline: Row
    comparison: Row
    diff: Row


class RowDiff(Reply, frozen=True, kw_only=True):
    """Rows that were added, removed or changed; the lists hold the first 100 of each."""

    added_count: int
    removed_count: int
    changed_count: int
    unchanged_count: int
    key_duplicate_count: int
    added: list[Row]
    removed: list[Row]
    changed: list[ChangedRow]
    key_duplicates: list[Row]


class ComparedSnapshot(Reply, frozen=True, kw_only=True):
    """One side of a comparison."""

    snapshot_id: str
    name: str
    as_of: float


class ComparisonMetadata(Reply, frozen=True, kw_only=True):
    """What was compared, by which key, leaving out which columns."""

    dataset: str
    key: list[str]
    ignored: list[str]
    column_changes: dict[str, int]
    baseline: ComparedSnapshot
    comparison: ComparedSnapshot


class ComparisonResult(Reply, frozen=True, kw_only=True):
    """How two snapshots differ: in their totals and row by row."""

    summary_diff: dict[str, Change]
    row_diff: RowDiff
    metadata: ComparisonMetadata


class ComparisonJob(Reply, frozen=True, kw_only=True):
    """A comparison that was made and kept."""

    job_id: str
    name: str
    snapshot_a_id: str
    snapshot_b_id: str
    comparison_result: ComparisonResult
    execution_time_ms: float
    created_by: str
    created_at: float
    status: str
