"""The queue of runs in MongoDB: who has which run, until when, and how it ended.

A run that is taken carries the worker's id, a fence that rises each time it is taken, and a lease by the server's
clock, so clocks of workers do not matter. Every later write asks for id and fence: a worker that lost its run cannot
write over the outcome of the one that has it now.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError

from analytics.extract import Abandoned
from stockverify.clients import Document
from stockverify.datasets import DATASETS
from stockverify.vocabulary import Collection, RunStatus

LATE = timedelta(minutes=5)
"""A run that starts so long after it was due says that it is late."""
_LAPSED = {"status": RunStatus.RUNNING.value, "$expr": {"$lt": ["$lease_until", "$$NOW"]}}
_DUPLICATE = 11000


class RunStore:
    """Reads and writes runs."""

    def __init__(self, database: Database[Document]) -> None:
        self.database = database
        self._runs = database[Collection.RUNS]

    def anything_to_freeze(self) -> bool:
        """Whether any item, session or record exists."""
        collections = [dataset.collection for dataset in DATASETS.values() if dataset.collection]
        return any(self.database[name].find_one({}, {"_id": 1}) is not None for name in collections)

    def records(self) -> int:
        """How many records there are, as MongoDB keeps count of them."""
        return self.database[Collection.RECORDS].estimated_document_count()

    def queue_once(self, run: Document) -> bool:
        """Queue a run unless one of its id was ever queued."""
        try:
            self._runs.insert_one(run)
        except DuplicateKeyError:
            return False
        return True

    def queue_each_once(self, runs: Sequence[Document]) -> int:
        """The same for many; how many were new."""
        try:
            return len(self._runs.insert_many(runs, ordered=False).inserted_ids)
        except BulkWriteError as error:
            others = [each for each in error.details["writeErrors"] if each["code"] != _DUPLICATE]
            if others or error.details["writeConcernErrors"]:
                raise
            return int(error.details["nInserted"])

    def take(self, worker: str, lease_seconds: float, now: datetime) -> Document | None:
        """The next run, now held by this worker: one whose worker has gone silent, else the oldest that waits, what
        people ask for before what was due. A schedule has one run at a time: the next one tells what is new since it,
        so it must know how it ended."""
        held = _taken(worker, lease_seconds, now)
        while True:
            try:
                return self._claim(_LAPSED, [], held) or self._claim(self._free(), [("rank", 1)], held)
            except DuplicateKeyError:  # another worker took a run of the same schedule at this very moment
                continue

    def _claim(self, wanted: Document, order: list[tuple[str, int]], held: list[Document]) -> Document | None:
        return self._runs.find_one_and_update(
            wanted, held, sort=[*order, ("requested_at", 1)], return_document=ReturnDocument.AFTER
        )

    def _free(self) -> Document:
        """What finds the runs that wait and of whose schedule none is under way."""
        busy = self._runs.distinct("schedule_id", {"status": RunStatus.RUNNING.value})
        return {"status": RunStatus.QUEUED.value, "schedule_id": {"$nin": [each for each in busy if each is not None]}}

    def renew(self, run: Document, lease_seconds: float) -> bool:
        """Hold on to a run; false when another has it now."""
        update = [{"$set": {"lease_until": _from_now(lease_seconds)}}]
        return self._runs.update_one(held_by(run), update).matched_count == 1

    def choose_snapshot(self, run: Document, snapshot_id: str) -> str:
        """Settle which snapshot a run reports on: this one, unless it was settled before, by a worker that died. Gives
        the one that stands. Raises Abandoned when another worker has the run now."""
        if run["snapshot_id"]:
            return str(run["snapshot_id"])
        if not self._runs.update_one(held_by(run), {"$set": {"snapshot_id": snapshot_id}}).matched_count:
            raise Abandoned
        run["snapshot_id"] = snapshot_id
        return snapshot_id

    def catch_up(self, run: Document, last: Document | None) -> None:
        """Let a run that has not chosen its snapshot know what became of the runs before it. Raises Abandoned."""
        known = {"schedule.last": last}
        if not self._runs.update_one(held_by(run), {"$set": known}).matched_count:
            raise Abandoned
        run["schedule"]["last"] = last

    def finish(self, run: Document, outcome: Document, transaction: ClientSession | None = None) -> bool:
        """Write how a run ended; false when another has it now."""
        change = {"$set": outcome | {"lease_until": None}}
        return self._runs.update_one(held_by(run), change, session=transaction).matched_count == 1

    def hand_back(self, run: Document, error: str | None) -> None:
        """Queue it again after trouble; without an error the worker was merely stopped, which counts as no attempt."""
        queued = {"status": RunStatus.QUEUED.value, "started_at": None, "lease_until": None, "error": error}
        attempts = 0 if error else -1
        self._runs.update_one(held_by(run), {"$set": queued, "$inc": {"attempts": attempts}})

    def untold(self, limit: int) -> list[Document]:
        """Runs that ended with something to tell that was not told yet."""
        fields = {"untold": 1, "schedule_id": 1}
        return self._runs.find({"untold": {"$gt": []}}, fields).limit(limit).to_list()

    def told(self, run: Document) -> None:
        """Cross it out."""
        self._runs.update_one({"_id": run["_id"]}, {"$unset": {"untold": ""}})


def held_by(run: Document) -> Document:
    """What finds a run for as long as it is held by whoever took it in this state: a filter for writes."""
    return {
        "_id": run["_id"],
        "worker": run["worker"],
        "fence": run["fence"],
        "status": RunStatus.RUNNING.value,
    }


def _from_now(seconds: float) -> dict[str, Any]:
    return {"$add": ["$$NOW", round(seconds * 1000)]}


def _taken(worker: str, lease_seconds: float, now: datetime) -> list[Document]:
    overdue = {"$lt": [{"$ifNull": ["$due_at", now]}, now - LATE]}
    held = {
        "status": RunStatus.RUNNING.value,
        "worker": worker,
        "started_at": now,
        "lease_until": _from_now(lease_seconds),
        "attempts": {"$add": [{"$ifNull": ["$attempts", 0]}, 1]},
        "fence": {"$add": [{"$ifNull": ["$fence", 0]}, 1]},
        "late": {"$or": [{"$ifNull": ["$late", False]}, overdue]},
        "error": None,
    }
    return [{"$set": held}]
