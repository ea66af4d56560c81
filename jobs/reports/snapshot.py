"""Which snapshot a run reports on."""

from datetime import datetime

from analytics.extract import Terms, materialise
from analytics.lake import Freeze
from analytics.lake.sweep import sweep
from jobs.first_look import prepare
from jobs.reports.plan import Plan
from jobs.runs.store import RunStore
from jobs.tools import Tools
from stockverify.clients import Document
from stockverify.vocabulary import RunPurpose, Subject

LATEST = "latest"


def chosen(tools: Tools, run: Document, plan: Plan, now: datetime) -> Freeze:
    """The snapshot of this run. It is written down before anything is worked out, so that whoever takes the run over
    reports on the same one. Raises what the lake raises for one that is gone or damaged, Abandoned when the run is
    another worker's by now, and what taking a snapshot raises."""
    if run.get("snapshot_id"):
        return tools.lake.freeze(run["snapshot_id"])
    freeze = _named(tools, plan) or _recent(tools, plan) or _fresh(tools, plan, now)
    RunStore(tools.database).choose_snapshot(run, freeze.snapshot_id)
    return freeze


def _named(tools: Tools, plan: Plan) -> Freeze | None:
    named = plan.report.subject is Subject.SNAPSHOT and plan.report.ref not in (None, "", LATEST)
    return tools.lake.freeze(plan.report.ref or "") if named else None


def _recent(tools: Tools, plan: Plan) -> Freeze | None:
    """The newest one, if it shows what was there when the report was due. A test or a preview takes what there is."""
    newest = next(iter(tools.lake.freezes()), None)
    since = {RunPurpose.SCHEDULED: plan.due_at, RunPurpose.NOW: plan.requested_at}.get(plan.purpose)
    return newest if newest and (since is None or newest.as_of >= since) else None


def _fresh(tools: Tools, plan: Plan, now: datetime) -> Freeze:
    """Its name says what it was taken for, where people choose among snapshots."""
    terms = Terms(may_fall=tools.settings.snapshot_may_fall)
    freeze = materialise(tools.lake, tools.database, now, f"For {plan.name}", tools.stopping, terms)
    sweep(tools.lake.root, now)
    prepare(tools, freeze)
    return freeze
