"""Pure decisions about schedules: what may be asked for, how it is stored, and who may do what with it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from ingest.auth.rules import Caller
from stockverify import addresses, cron
from stockverify.clients import Document, as_stored
from stockverify.errors import BadInput, Forbidden, NotFound, Refused
from stockverify.vocabulary import Condition, RunKind, RunPurpose, RunStatus, ScheduleState, Subject
from stockverify.vocabulary import Role as Roles
from stockverify.wire.schedules import ReportOf, SaveSchedule, SentWhen

OWN_KINDS = (RunKind.REPORT, RunKind.MATERIALISE)
"""What people make schedules for; all else is there already."""
MOST_WAITING = 20
"""So many runs of one person may wait at a time."""
LONGEST_QUERY = 100_000
"""A copy of it goes into every run."""
_REF_OF = {Subject.TEMPLATE: "the name of a template", Subject.SNAPSHOT: "the id of a snapshot, or `latest`"}


class ScheduleUnknown(NotFound):
    """There is no schedule {schedule_id}. GET /api/reports/schedules lists all."""


class NotYourSchedule(Forbidden):
    """Schedule {schedule_id} belongs to {owner}; its owner or an admin may change it."""


class ScheduleChanged(Refused):
    """Schedule {schedule_id} was changed meanwhile: it has revision {revision} now. Read it again, then change it."""


class BuiltinStays(Refused):
    """Schedule {schedule_id} belongs to the house: {allowed}."""


class WrongField(BadInput):
    """{field}: {reason}"""


class NoAddressOfYours(Refused):
    """A test goes to your own e-mail address, and you have none; an admin can add it to your account."""


class TooManyWaiting(Refused):
    """{waiting} runs that you asked for still wait for the worker; ask again when they are done."""


class TooManySchedules(Refused):
    """You have {most} schedules, which is as many as one person may have. Delete one that is not needed any more; an
    admin may raise SCHEDULES_PER_PERSON."""


def checked(wanted: SaveSchedule, domains: Sequence[str]) -> SaveSchedule:
    """The same with its recipients as mail servers want them, each once.

    Raises WrongField, BadCron, UnknownZone, BadAddress or DomainNotAllowed.
    """
    if wanted.kind not in OWN_KINDS:
        known = ", ".join(OWN_KINDS)
        raise WrongField(field="kind", reason=f"{wanted.kind} has its schedule already; use one of: {known}")
    cron.check(wanted.cron, wanted.zone)
    if wanted.kind is not RunKind.REPORT:
        if wanted.report or wanted.recipients or wanted.condition != SentWhen():
            raise WrongField(field="report", reason=f"recipients, condition and report are for {RunKind.REPORT} only")
        return wanted
    _check_report(wanted.report)
    _check_condition(wanted.condition)
    found = [_checked_address(each, domains) for each in wanted.recipients]
    once = list({addresses.same(each): each for each in found}.values())
    return msgspec.structs.replace(wanted, recipients=once, formats=list(dict.fromkeys(["html", *wanted.formats])))


def _checked_address(text: str, domains: Sequence[str]) -> str:
    address = addresses.checked(text)
    addresses.allow(address, domains)
    return address


def _check_report(report: ReportOf | None) -> None:
    if report is None:
        raise WrongField(field="report", reason="say what is to be reported")
    if report.subject is Subject.QUERY:
        if (report.ref is None) == (report.query is None):
            raise WrongField(field="report", reason="give either `ref`, a saved query's id, or a `query`")
        if len(msgspec.json.encode(report.query)) > LONGEST_QUERY:
            raise WrongField(field="report.query", reason=f"it is longer than {LONGEST_QUERY} bytes")
        return
    if report.query is not None:
        raise WrongField(field="report.query", reason=f"only the subject {Subject.QUERY} has one")
    what = _REF_OF.get(report.subject)
    if bool(what) != bool(report.ref):
        raise WrongField(field="report.ref", reason=f"give {what}" if what else f"{report.subject} has none")
    if report.params and report.subject is not Subject.TEMPLATE:
        raise WrongField(field="report.params", reason="they filter queries and templates only")


def _check_condition(condition: SentWhen) -> None:
    given = (condition.figure, condition.op, condition.limit)
    if condition.kind is Condition.FIGURE and None in given:
        raise WrongField(field="condition", reason="a figure's condition needs figure, op and limit")
    if condition.kind is not Condition.FIGURE and given != (None, None, None):
        raise WrongField(field="condition", reason="figure, op and limit are for the kind `figure` only")


def document(
    schedule_id: str, wanted: SaveSchedule, caller: Caller, max_attachment_bytes: int, now: datetime
) -> Document:
    """A new schedule as it is stored."""
    state = ScheduleState.DRAFT if wanted.draft else ScheduleState.ACTIVE
    made = content(wanted, max_attachment_bytes, now)
    if state is ScheduleState.ACTIVE:
        _check_addressed(made)
    return made | {
        "_id": schedule_id,
        "unsubscribed": [],
        "state": state.value,
        "paused_reason": None,
        "failures": 0,
        "owner_id": caller.user_id,
        "owner": caller.username,
        "next_due_at": None if wanted.draft else due_after(wanted.cron, wanted.zone, now),
        "created_at": as_stored(now),
        "revision": 1,
        "last": None,
        "builtin": False,
    }


def content(wanted: SaveSchedule, max_attachment_bytes: int, now: datetime) -> Document:
    """What its owner says of a schedule. A query is JSON text, which keeps numbers and names as they were written."""
    report = msgspec.to_builtins(wanted.report)
    if wanted.report and wanted.report.query:
        report["query"] = msgspec.json.encode(wanted.report.query).decode()
    return {
        "name": wanted.name,
        "kind": wanted.kind.value,
        "report": report,
        "formats": list(wanted.formats),
        "recipients": list(wanted.recipients),
        "condition": msgspec.to_builtins(wanted.condition),
        "max_attachment_bytes": wanted.max_attachment_bytes or max_attachment_bytes,
        "cron": wanted.cron,
        "zone": wanted.zone,
        "note": wanted.note,
        "updated_at": as_stored(now),
    }


def changes(stored: Document, wanted: SaveSchedule, max_attachment_bytes: int, now: datetime) -> Document:
    """What a change writes. A schedule of the house keeps all but its time, its zone and its note."""
    due = due_after(wanted.cron, wanted.zone, now) if stored["state"] == ScheduleState.ACTIVE else None
    new = content(wanted, max_attachment_bytes, now) | {"next_due_at": due}
    if stored["builtin"]:
        new = {name: new[name] for name in ("cron", "zone", "note", "updated_at", "next_due_at")}
    elif new["kind"] != stored["kind"]:
        raise WrongField(field="kind", reason=f"it stays {stored['kind']}; make another schedule instead")
    elif stored["state"] != ScheduleState.DRAFT:
        _check_addressed(new)
    if (new["cron"], new["zone"]) == (stored["cron"], stored["zone"]):
        new.pop("next_due_at")
    return new | {"revision": stored["revision"] + 1}


def _check_addressed(schedule: Document) -> None:
    if schedule["kind"] == RunKind.REPORT and not schedule["recipients"]:
        raise WrongField(field="recipients", reason="a report that is sent needs one or more; a draft may have none")


def due_after(expression: str, zone: str, now: datetime) -> datetime | None:
    """When it is due next."""
    return cron.next_due(expression, zone, now)


def paused(by: Caller, now: datetime) -> Document:
    """What pausing writes."""
    reason = f"Paused by {by.username}."
    state = {"state": ScheduleState.PAUSED.value, "paused_reason": reason, "next_due_at": None}
    return state | {"updated_at": as_stored(now)}


def resumed(stored: Document, now: datetime) -> Document:
    """What resuming writes: due times of the pause are not made up for, failures are counted anew. One that was not
    paused keeps its next due time, which may be this very second."""
    _check_addressed(stored)
    was_active = stored["state"] == ScheduleState.ACTIVE
    due = stored["next_due_at"] if was_active else due_after(stored["cron"], stored["zone"], now)
    state = {"state": ScheduleState.ACTIVE.value, "paused_reason": None, "next_due_at": due, "failures": 0}
    return state | {"updated_at": as_stored(now)}


def may_change(stored: Document, caller: Caller) -> None:
    """Raises NotYourSchedule unless it is the caller's own, or the caller an admin."""
    if caller.role is not Roles.ADMIN and stored["owner_id"] != caller.user_id:
        raise NotYourSchedule(schedule_id=stored["_id"], owner=stored["owner"] or "the house")


def may_run(stored: Document, purpose: RunPurpose, email: str | None, domains: Sequence[str]) -> None:
    """Tests and previews are of reports; a test needs an address to go to."""
    if purpose is RunPurpose.NOW:
        _check_addressed(stored)
        return
    if stored["kind"] != RunKind.REPORT:
        raise WrongField(field="kind", reason=f"only {RunKind.REPORT} can be tried out; this is {stored['kind']}")
    if purpose is RunPurpose.TEST:
        if not email:
            raise NoAddressOfYours()
        addresses.allow(addresses.checked(email), domains)


def asked_by(caller: Caller) -> Document:
    """What finds the runs of a person that still wait."""
    return {"requested_by_id": caller.user_id, "status": RunStatus.QUEUED.value}


def owned_by(caller: Caller) -> Document:
    """What finds the schedules of a person."""
    return {"owner": caller.username, "owner_id": caller.user_id}
