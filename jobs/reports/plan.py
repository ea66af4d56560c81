"""What a run is asked to report, as it was when the run was queued."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from analytics.figures import Figure, figure_of
from analytics.glance.numbers import amount
from stockverify.clients import Document
from stockverify.errors import BadInput
from stockverify.vocabulary import Condition, RunPurpose, Subject
from stockverify.wire.reports import QuerySpec

Operator = Literal["gt", "lt", "gte", "lte"]
_WORDS = {"gt": "above", "gte": "at or above", "lt": "below", "lte": "at or below"}


class PlanUnreadable(BadInput):
    """The schedule of run {run_id} cannot be read: {reason}. Save it again."""


class Asked(Struct, frozen=True, kw_only=True):
    """What is reported on. `ref` names a saved query, a template or a snapshot; `params` are filters beside those of
    the query, by field; `columns` are those that are wanted, in their order, all when left out."""

    subject: Subject
    ref: str | None = None
    query: QuerySpec | None = None
    params: dict[str, Any] = {}
    columns: tuple[str, ...] | None = None


class When(Struct, frozen=True, kw_only=True):
    """When it is sent; the kind `figure` has a figure and its limit."""

    kind: Condition = Condition.ALWAYS
    figure: str | None = None
    op: Operator | None = None
    limit: float | None = None

    def words(self) -> str:
        """Where the limit is, in the figure's unit."""
        return f"{_WORDS[self.op or 'gt']} {amount(self.limit, self.declared().unit)}"

    def declared(self) -> Figure:
        """The figure. Raises UnknownFigure."""
        return figure_of(self.figure or "")


class Last(Struct, frozen=True, kw_only=True):
    """What was delivered last, and whether it told that the figure was past the limit of the `condition` that the
    schedule had then."""

    delivered_snapshot_id: str | None = None
    content_hash: str | None = None
    over_limit: bool = False
    condition: When | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """One report that is wanted."""

    run_id: str
    purpose: RunPurpose
    late: bool
    due_at: datetime | None
    requested_at: datetime
    requested_email: str | None
    name: str
    report: Asked
    formats: tuple[str, ...]
    recipients: tuple[str, ...]
    condition: When
    max_attachment_bytes: int
    zone: str
    owner_id: str
    owner: str
    last: Last

    @property
    def asked_for(self) -> bool:
        """Whether a person wants it now, whatever its condition says."""
        return self.purpose is not RunPurpose.SCHEDULED


def plan_of(run: Document) -> Plan:
    """The plan in a run's document. Raises PlanUnreadable."""
    schedule: Document = run.get("schedule") or {}
    of_run = ("purpose", "late", "due_at", "requested_at", "requested_email")
    told = {**schedule, **{name: run.get(name) for name in of_run}, "run_id": run["_id"]}
    told |= {"late": bool(run.get("late")), "last": schedule.get("last") or {}, "report": _decoded(schedule, run)}
    try:
        plan = msgspec.convert(told, Plan)
    except msgspec.ValidationError as error:
        raise PlanUnreadable(run_id=run["_id"], reason=str(error)) from None
    if plan.last.condition in (None, plan.condition):
        return plan
    untold = msgspec.structs.replace(plan.last, over_limit=False)  # an alarm of another limit says nothing of this one
    return msgspec.structs.replace(plan, last=untold)


def _decoded(schedule: Document, run: Document) -> Document:
    """A query is stored as JSON text, which keeps any number and any name as it was written."""
    report: Document = schedule.get("report") or {}
    if not isinstance(report.get("query"), str):
        return report
    try:
        return report | {"query": msgspec.json.decode(report["query"])}
    except msgspec.DecodeError as error:
        raise PlanUnreadable(run_id=run["_id"], reason=f"its query: {error}") from None
