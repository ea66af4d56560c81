"""The flags that scans have found, in MongoDB: what people say about a flag outlives the snapshot that it was found in.

A flag is kept under its own id, which is the same in every snapshot that has it. `last_snapshot_id` is the newest that
has it: one that is no longer found keeps the snapshot that it was last found in. A scan never removes anything.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from pymongo import UpdateOne
from pymongo.database import Database

from stockverify.clients import Document
from stockverify.vocabulary import Collection, FlagState

_AT_ONCE = 1000
_MOST_TOLD = 1000


class FlagStore:
    """Reads and writes flags. `dismissed` and `recount` belong to people: a scan never touches them."""

    def __init__(self, database: Database[Document]) -> None:
        self._flags = database[Collection.ANOMALY_FLAGS]

    def keep(self, rows: Iterable[dict[str, Any]], snapshot_id: str, now: datetime) -> None:
        """Note what a snapshot has. An older snapshot than the one that a flag was last found in says nothing new."""
        several = iter(rows)
        while chunk := list(islice(several, _AT_ONCE)):
            self._flags.bulk_write(list(_writes(chunk, snapshot_id, now)), ordered=True)

    def settle(self, snapshot_id: str) -> None:
        """After all of a snapshot was kept: open is what the newest one has, and gone what only earlier ones had. What
        somebody has dismissed stays dismissed. None is the state of flags from before there were states."""
        newest = self._flags.find_one({}, {"last_snapshot_id": 1}, sort=[("last_snapshot_id", -1)])
        latest = max(snapshot_id, newest["last_snapshot_id"] if newest else "")
        for known, here, state in (
            (FlagState.GONE, latest, FlagState.OPEN),
            (FlagState.OPEN, {"$lt": latest}, FlagState.GONE),
        ):
            wanted = {"state": {"$in": [known.value, None]}, "last_snapshot_id": here}
            self._flags.update_many(wanted, {"$set": {"state": state.value}})

    def fresh(self, snapshot_id: str) -> int:
        """How many flags a snapshot was the first to have."""
        return self._flags.count_documents({"first_snapshot_id": snapshot_id})

    def to_tell(self, snapshot_id: str, severity: float, run_id: str) -> list[Document]:
        """The severe flags of a snapshot that this run tells of, the most severe first: no other run ever told or will
        tell of them. Those that somebody has dismissed are not told."""
        severe: Document = {"last_snapshot_id": snapshot_id, "severity": {"$gte": severity}}
        self._flags.update_many(severe | {"told_by": None, "dismissed": None}, {"$set": {"told_by": run_id}})
        found = self._flags.find({"told_by": run_id}).sort([("severity", -1), ("_id", 1)])
        return list(found.limit(_MOST_TOLD))


def _writes(rows: Iterable[dict[str, Any]], snapshot_id: str, now: datetime) -> Iterator[UpdateOne]:
    """Two writes for each: it is there, and this is how it looks now."""
    for row in rows:
        flag_id, seen = row["flag_id"], {name: value for name, value in row.items() if name != "flag_id"}
        first = {"first_snapshot_id": snapshot_id, "first_seen_at": now}
        people = {"told_by": None, "dismissed": None, "recount": None, "state": FlagState.OPEN.value}
        yield UpdateOne({"_id": flag_id}, {"$setOnInsert": first | people | {"last_snapshot_id": ""}}, upsert=True)
        latest = {"last_snapshot_id": snapshot_id, "last_seen_at": now}
        yield UpdateOne({"_id": flag_id, "last_snapshot_id": {"$lte": snapshot_id}}, {"$set": seen | latest})
