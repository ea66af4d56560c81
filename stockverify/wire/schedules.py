"""Schedules and runs, as people manage them over HTTP."""

from typing import Annotated, Literal

from msgspec import Meta, field

from stockverify.vocabulary import Condition, RunKind, RunPurpose, ScheduleState, Subject
from stockverify.wire.common import Id, Name, Reply, Request, Text
from stockverify.wire.reports import QuerySpec

Cron = Annotated[str, Meta(min_length=1, max_length=120)]
Address = Annotated[str, Meta(min_length=1, max_length=254)]
Format = Literal["html", "csv", "xlsx", "json", "pdf"]
Parameter = Annotated[str, Meta(max_length=1024)] | Annotated[int, Meta(ge=-(2**53), le=2**53)] | float | bool | None
Operator = Literal["gt", "lt", "gte", "lte"]
MOST_RECIPIENTS = 50


class ReportOf(Request, frozen=True, kw_only=True):
    """What a report is about. `ref` is a saved query's id, a template's name, or a snapshot's id or `latest`; a query
    may be written out in `query` instead. `columns` says which columns are shown, and in which order."""

    subject: Subject
    ref: Id | None = None
    query: QuerySpec | None = None
    params: Annotated[dict[Name, Parameter], Meta(max_length=20)] = field(default_factory=dict)
    columns: Annotated[list[Name], Meta(min_length=1, max_length=100)] | None = None


class SentWhen(Request, frozen=True, kw_only=True):
    """When a report that is due is sent. Only the kind `figure` has the other three: the figure and its limit."""

    kind: Condition = Condition.ALWAYS
    figure: Name | None = None
    op: Operator | None = None
    limit: Annotated[float, Meta(ge=-1e15, le=1e15)] | None = None


class SaveSchedule(Request, frozen=True, kw_only=True):
    """POST /api/reports/schedules. `report` and `recipients` are for the kind `report` only. A draft waits until it is
    resumed."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    cron: Cron
    zone: Annotated[str, Meta(min_length=1, max_length=64)]
    kind: RunKind = RunKind.REPORT
    report: ReportOf | None = None
    formats: Annotated[list[Format], Meta(max_length=5)] = field(default_factory=lambda: ["html"])
    recipients: Annotated[list[Address], Meta(max_length=MOST_RECIPIENTS)] = field(default_factory=list)
    condition: SentWhen = field(default_factory=SentWhen)
    max_attachment_bytes: Annotated[int, Meta(ge=1024, le=100 * 2**20)] | None = None
    note: Text = ""
    draft: bool = False


class ChangeSchedule(SaveSchedule, frozen=True, kw_only=True):
    """PUT /api/reports/schedules/{id}: all of it anew; `revision` is that of the schedule which was changed. `draft`
    means nothing here."""

    revision: Annotated[int, Meta(ge=1)]


class NextTimes(Request, frozen=True, kw_only=True):
    """POST /api/reports/schedules/next: when would that be due?"""

    cron: Cron
    zone: Annotated[str, Meta(min_length=1, max_length=64)]


class DueTime(Reply, frozen=True, kw_only=True):
    """One time, in the schedule's zone and in UTC, both as ISO 8601."""

    local: str
    utc: str


class LastRun(Reply, frozen=True, kw_only=True):
    """How the latest run of a schedule ended."""

    run_id: str
    due_at: float
    status: str
    snapshot_id: str | None
    delivered_snapshot_id: str | None
    over_limit: bool


class Schedule(Reply, frozen=True, kw_only=True):
    """A schedule. `builtin` ones belong to the house: an admin may pause and re-time them."""

    schedule_id: str
    name: str
    kind: RunKind
    report: ReportOf | None
    formats: list[str]
    recipients: list[str]
    unsubscribed: list[str]
    condition: SentWhen
    max_attachment_bytes: int
    cron: str
    zone: str
    state: ScheduleState
    paused_reason: str | None
    failures: int
    owner: str
    note: str
    next: list[DueTime]
    last: LastRun | None
    builtin: bool
    revision: int
    created_at: float
    updated_at: float


class ScheduleDeleted(Reply, frozen=True, kw_only=True):
    """What delete answers."""

    schedule_id: str
    success: bool = True


class ShownFile(Reply, frozen=True, kw_only=True):
    """A file that goes with a letter."""

    name: str
    media_type: str
    bytes: int
    sha256: str


class ShownLetter(Reply, frozen=True, kw_only=True):
    """A letter as it would be sent: its pictures are within the HTML."""

    run_id: str
    purpose: RunPurpose
    subject: str
    text: str
    html: str
    attachments: list[ShownFile]
    snapshot_id: str | None
    as_of: float | None
    late: bool
