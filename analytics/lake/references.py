"""Which snapshots something in MongoDB refers to, so that retention leaves them."""

from collections.abc import Iterator
from typing import Any

from pymongo.database import Database

from analytics.lake.ids import is_snapshot_id
from stockverify.clients import Document
from stockverify.vocabulary import Collection

_NAMES_NONE = (Collection.RUNS, Collection.DELIVERIES)
"""What merely tells what once happened. All other collections of reports need what they name."""
_RESULTS = {"comparison_result": 0}


def references(database: Database[Document]) -> set[str]:
    """The ids of all snapshots that a report without rows of its own, a comparison, a schedule, an export or a pin
    names, in whatever field."""
    names = [name for name in Collection if name.startswith("report_") and name not in _NAMES_NONE]
    return {found for name in names for found in _in_collection(database, name)}


def _in_collection(database: Database[Document], name: Collection) -> Iterator[str]:
    # In the order of an index: reading all of it is meant.
    for document in database[name].find({}, _RESULTS).sort("_id", 1):
        if not (name is Collection.REPORT_SNAPSHOTS and document.get("stored")):
            yield from _ids(document)


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, str) and is_snapshot_id(value):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _ids(inner)
