"""Comparisons of two snapshots: what is asked, how they differ, and why a total moved."""

from typing import Annotated, Literal

from msgspec import Meta, field

from stockverify.wire.common import Id, Name, Reply, Request
from stockverify.wire.reports import Pagination, Row

RowKind = Literal["added", "removed", "changed", "key_duplicate"]
Size = Annotated[float, Meta(extra_json_schema={"minimum": 0})]
"""`Compare` looks at it itself: what msgspec says of a value within a dict leaves out under which key it is."""


class Limits(Request, frozen=True, kw_only=True):
    """How far a number may move and still count as unchanged: by `absolute` in its own unit, or by `relative` as a
    share of the value before."""

    absolute: Size | None = None
    relative: Size | None = None


class Compare(Request, frozen=True, kw_only=True):
    """POST /api/reports/compare. Without a wish, positions are compared, and who counted when makes no row changed."""

    snapshot_a_id: Id
    snapshot_b_id: Id
    comparison_name: Name | None = None
    dataset: Name | None = None
    tolerances: Annotated[dict[str, Limits], Meta(max_length=100)] = field(default_factory=dict)
    ignore: Annotated[list[Name], Meta(max_length=100)] | None = None

    def __post_init__(self) -> None:
        """Raises ValueError, which names the column of a tolerance below 0."""
        for column, limits in self.tolerances.items():
            if any(size is not None and size < 0 for size in (limits.absolute, limits.relative)):
                raise ValueError(f"the tolerance of {column[:80]!r} is below 0")


class Change(Reply, frozen=True, kw_only=True):
    """One total on both sides; `percent_diff` is null when the baseline is 0."""

    baseline: float | None
    comparison: float | None
    absolute_diff: float | None
    percent_diff: float | None
    trend: Literal["up", "down", "stable"]


class ChangedRow(Reply, frozen=True, kw_only=True):
    """A row that both sides have with different values; `diff` holds the steps of the columns that changed."""

    key: Row
    baseline: Row
    comparison: Row
    diff: Row


class RowDiff(Reply, frozen=True, kw_only=True):
    """Rows that were added, removed or changed; the lists hold the first 100 of each, `rows` gives all."""

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


class TypeChange(Reply, frozen=True, kw_only=True):
    """The types of a column whose type differs between the sides; null on a side that lacks it."""

    before: str | None
    after: str | None


class ComparisonMetadata(Reply, frozen=True, kw_only=True):
    """What was compared, by which key, leaving out which columns, and what tolerances let pass."""

    dataset: str
    key: list[str]
    ignored: list[str]
    column_changes: dict[str, int]
    baseline: ComparedSnapshot
    comparison: ComparedSnapshot
    comparison_id: str = ""
    tolerances: dict[str, Limits] = field(default_factory=dict)
    within_tolerance_count: int = 0
    column_within_tolerance: dict[str, int] = field(default_factory=dict)
    type_changed: dict[str, TypeChange] = field(default_factory=dict)


class ComparisonResult(Reply, frozen=True, kw_only=True):
    """How two snapshots differ: in their totals and row by row."""

    summary_diff: dict[str, Change]
    row_diff: RowDiff
    metadata: ComparisonMetadata


class ComparisonJob(Reply, frozen=True, kw_only=True):
    """A comparison that was asked for. While it runs, or if it failed (`error` says why), it has no result."""

    job_id: str
    name: str
    snapshot_a_id: str
    snapshot_b_id: str
    comparison_result: ComparisonResult | None
    execution_time_ms: float
    created_by: str
    created_at: float
    status: str
    error: str | None = None


class ComparisonRows(Reply, frozen=True, kw_only=True):
    """One page of the rows of a kind, sorted by key."""

    job_id: str
    kind: RowKind
    rows: list[Row]
    pagination: Pagination


class Contribution(Reply, frozen=True, kw_only=True):
    """A group's part in the change of a total; null as a group means rows that name none."""

    group: str | None
    baseline: float
    comparison: float
    change: float


class OtherContributions(Reply, frozen=True, kw_only=True):
    """All other groups together, and what rounding left over."""

    groups: int
    change: float


class ComparisonContributions(Reply, frozen=True, kw_only=True):
    """Why a total moved: the changes of `parts`, largest first, and of `other` add up to `change.absolute_diff`."""

    job_id: str
    total: str
    by: str
    change: Change
    parts: list[Contribution]
    other: OtherContributions
