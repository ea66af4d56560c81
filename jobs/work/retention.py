"""The work that removes snapshots which nobody needs any more."""

from datetime import datetime

import structlog
from pymongo.database import Database

from analytics.backup.shared_lake import not_taken_by, was_brought_back
from analytics.compare.store import forget
from analytics.lake import Lake
from analytics.lake.references import references
from analytics.lake.removing import remove
from analytics.lake.reports import Reports
from analytics.lake.retention import Policy, surplus
from analytics.lake.scopes import roots
from analytics.lake.sweep import sweep
from jobs.tools import Done, Tools
from stockverify.clients import Document
from stockverify.vocabulary import Collection

_log = structlog.get_logger("jobs")


def clear_away(tools: Tools, run: Document, now: datetime) -> Done:
    """Retention by the settings of the house; says what it has removed."""
    settings = tools.settings
    policy = Policy(hours=settings.keep_hours, days=settings.keep_days, months=settings.keep_months)
    going = retain(tools.lake, tools.database, policy, settings.time_zone, now)
    return Done(result={"removed": len(going)})


def retain(lake: Lake, database: Database[Document], policy: Policy, zone: str, now: datetime) -> list[str]:
    """Remove what the policy does not keep and nothing refers to; gives the ids. Safe to run twice, or at two places.

    What refers to snapshots is read after the list of them: a reference that is made meanwhile is to a younger one, or
    to one that a list showed; and all of the last hour stays. A database that was brought back from a backup removes
    nothing but snapshots of its own for a while.
    """
    freezes, is_copy = lake.freezes(), was_brought_back(database, now)
    others = not_taken_by(database, lake, freezes) if is_copy else set()
    going = surplus(freezes, policy, zone, now, references(database, now) | others)
    for snapshot_id in going:
        remove(lake.root, snapshot_id)
        _log.info("snapshot_removed", snapshot_id=snapshot_id)
    for root in (lake.root, *roots(lake.root)):
        forget(root, going)
    sweep(lake.root, now)
    if not is_copy:
        sweep_reports(Reports(lake.root), database, now)
    return going


def sweep_reports(reports: Reports, database: Database[Document], now: datetime) -> None:
    """Remove the rows of reports that were deleted, or that were never told to MongoDB. The folders are listed before
    the documents, so that a report which is made meanwhile is no orphan."""
    found = reports.ids()
    known = {each["_id"] for each in database[Collection.REPORT_SNAPSHOTS].find({}, {"_id": 1}).sort("_id", 1)}
    reports.remove_old(found - known, now)
