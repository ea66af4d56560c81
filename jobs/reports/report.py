"""The work of a run of kind `report`: a snapshot, what the report says of it, and a letter to whoever wants it."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from analytics.engine import beside
from analytics.figures import tolerance_of, trend
from analytics.lake import Freeze
from analytics.lake.scoped import lake_within
from jobs.mail.letter import keep
from jobs.mail.outbox import Outbox
from jobs.reports import letters
from jobs.reports.changes import of_changes
from jobs.reports.condition import Seen, Verdict, decide
from jobs.reports.content import Content
from jobs.reports.fingerprint import Fingerprint, fingerprint
from jobs.reports.plan import Plan, plan_of
from jobs.reports.questions import of_query
from jobs.reports.snapshot import chosen
from jobs.reports.stock import of_positions, of_summary
from jobs.tools import Done, Tools
from stockverify.clients import Document
from stockverify.errors import BadInput
from stockverify.letters import opened
from stockverify.vocabulary import Collection, Condition, DeliveryKind, RunPurpose, Subject

_SUBJECTS: Mapping[Subject, Callable[[Tools, Plan, Freeze], Content]] = {
    Subject.QUERY: of_query,
    Subject.TEMPLATE: of_query,
    Subject.SNAPSHOT: of_positions,
    Subject.COMPARISON: of_changes,
    Subject.SUMMARY: of_summary,
}


class NoAddress(BadInput):
    """There is no e-mail address to send the test to. An admin can give you one, under users."""


def report(tools: Tools, run: Document, now: datetime) -> Done:
    """Report on a snapshot, if it is worth a mail. Safe to run twice: a run that is taken over reports on the snapshot
    that was chosen, finds the letter that was kept, and adds only the mails that are missing.

    Raises what is wrong with the schedule, the query or the snapshot, and Abandoned.
    """
    plan = plan_of(run)
    freeze = chosen(tools, run, plan, now)
    tools = _as_owner(tools, plan)
    freeze = tools.lake.freeze(freeze.snapshot_id)
    content = _SUBJECTS[plan.report.subject](tools, plan, freeze)
    marked = fingerprint(content.table()) if content.table else Fingerprint(content.rows, "")
    verdict = decide(plan.condition, plan.last, _seen(tools, plan, content, marked))
    result: Document = {"rows": content.rows, "content_hash": marked.digest, "over_limit": verdict.over_limit}
    if not verdict.sent and not plan.asked_for:
        return Done(freeze.snapshot_id, result | {"sent_to": 0, "skipped": verdict.reason}, verdict.reason)
    sent = verdict.asked_for()
    _keep(tools, plan, content, sent, now)
    return _put(tools, plan, run, result, sent, freeze, now)


def _as_owner(tools: Tools, plan: Plan) -> Tools:
    """The same tools with a lake that holds what the owner may see now, whatever they could when the schedule was made
    and whoever gets the mail (docs/decisions/0043)."""
    owner = tools.database[Collection.USERS].find_one({"_id": plan.owner_id}, {"floors": 1}) or {}
    return tools._replace(lake=lake_within(tools.lake, owner.get("floors") or ()))


def _seen(tools: Tools, plan: Plan, content: Content, marked: Fingerprint) -> Seen:
    seen = Seen(content.rows, marked.digest, content.first, content.diff)
    if plan.condition.kind is not Condition.FIGURE:
        return seen
    name = plan.condition.figure or ""
    freeze, tolerance = content.freeze, tolerance_of(tools.settings)
    value: float | None = trend(tools.lake, name, [freeze.snapshot_id], tolerance)["value"][0]
    return seen._replace(value=value)


def _keep(tools: Tools, plan: Plan, content: Content, verdict: Verdict, now: datetime) -> None:
    with _drafts(tools) as folder:
        written = letters.written(tools, plan, content, verdict, folder, now)
        keep(tools.settings.mails, plan.run_id, written.letter, written.files)


def _put(
    tools: Tools, plan: Plan, run: Document, result: Document, verdict: Verdict, freeze: Freeze, now: datetime
) -> Done:
    if plan.purpose is RunPurpose.PREVIEW:
        return Done(freeze.snapshot_id, result | {"sent_to": 0}, verdict.reason or "A preview, sent to nobody.")
    kind = DeliveryKind.TEST if plan.purpose is RunPurpose.TEST else DeliveryKind.REPORT
    recipients = _recipients(plan)
    letter = opened(tools.settings.mails, plan.run_id)
    sent = Outbox(tools.database, tools.settings.mails).put(plan.run_id, letter, recipients, kind, run, now)
    if not sent:
        reason = "Not sent: everybody has unsubscribed, or there were no recipients."
        return Done(freeze.snapshot_id, result | {"sent_to": 0, "skipped": reason}, reason)
    note = f"Put into the outbox for {sent} {'recipient' if sent == 1 else 'recipients'}. {verdict.reason}".strip()
    return Done(freeze.snapshot_id, result | {"sent_to": sent}, note)


def _recipients(plan: Plan) -> tuple[str, ...]:
    if plan.purpose is not RunPurpose.TEST:
        return plan.recipients
    if not plan.requested_email:
        raise NoAddress()
    return (plan.requested_email,)


@contextmanager
def _drafts(tools: Tools) -> Iterator[Path]:
    """A folder for what goes into the letter, named so that whoever uses the lake next removes it after a kill."""
    folder = beside(tools.settings.lake) / f"{os.getpid()}-report-{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
