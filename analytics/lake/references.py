"""Which snapshots something in MongoDB refers to, so that retention leaves them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pymongo.database import Database

from analytics.lake.ids import is_snapshot_id
from stockverify.clients import Document
from stockverify.vocabulary import Collection, RunStatus

DELIVERED_FOR = timedelta(days=31)
"""So long the snapshot that a mail reports on stays, for whoever follows the links in it."""

_HISTORY = (Collection.RUNS, Collection.DELIVERIES)
"""What tells what once happened. All other collections of reports need what they name."""
_RESULTS = {"comparison_result": 0}


def references(database: Database[Document], now: datetime) -> set[str]:
    """The ids of all snapshots that a report without rows of its own, a comparison, a schedule (also for what it last
    delivered), an export or a pin names, in whatever field; those of runs that are under way, and those that mails of
    the last 31 days report on."""
    names = [name for name in Collection if name.startswith("report_") and name not in _HISTORY]
    found = {found for name in names for found in _in_collection(database, name)}
    return found | set(_under_way(database)) | set(_delivered(database, now - DELIVERED_FOR))


def _in_collection(database: Database[Document], name: Collection) -> Iterator[str]:
    # In the order of an index: reading all of it is meant.
    for document in database[name].find({}, _RESULTS).sort("_id", 1):
        if not (name is Collection.REPORT_SNAPSHOTS and document.get("stored")):
            yield from _ids(document)


def _under_way(database: Database[Document]) -> Iterator[str]:
    """A run that was taken over reports on the snapshot that was chosen at first."""
    statuses = [RunStatus.QUEUED.value, RunStatus.RUNNING.value]
    for run in database[Collection.RUNS].find({"status": {"$in": statuses}}):
        yield from _ids(run)


def _delivered(database: Database[Document], since: datetime) -> Iterator[str]:
    named = {"created_at": {"$gt": since}}
    for delivery in database[Collection.DELIVERIES].find(named, {"snapshot_id": 1}):
        yield from _ids(delivery)


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, str) and is_snapshot_id(value):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _ids(inner)
