"""The job that removes snapshots which nobody needs any more."""

from datetime import datetime

import structlog
from pymongo.database import Database

from analytics.lake import Lake
from analytics.lake.references import references
from analytics.lake.removing import remove
from analytics.lake.retention import Policy, surplus
from analytics.lake.sweep import sweep
from stockverify.clients import Document

_log = structlog.get_logger("jobs")


def retain(lake: Lake, database: Database[Document], policy: Policy, zone: str, now: datetime) -> list[str]:
    """Remove what the policy does not keep and nothing refers to; gives the ids. Safe to run twice, or at two places.

    What refers to snapshots is read after the list of them: a reference that is made meanwhile is to a younger one, or
    to one that a list showed; and all of the last hour stays.
    """
    freezes = lake.freezes()
    going = surplus(freezes, policy, zone, now, references(database))
    for snapshot_id in going:
        remove(lake.root, snapshot_id)
        _log.info("snapshot_removed", snapshot_id=snapshot_id)
    sweep(lake.root, now)
    return going
