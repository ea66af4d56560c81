"""The queue of runs in MongoDB: who has which run, until when, and how it ended.

A run that is taken carries the worker's id and a lease by the server's clock, so clocks of workers do not matter. Every
later write asks for that id: a worker that lost its run to another cannot write over the other's outcome.
"""

from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from stockverify.clients import Document
from stockverify.datasets import DATASETS
from stockverify.vocabulary import Collection, RunStatus

_LAPSED = {"status": RunStatus.RUNNING.value, "$expr": {"$lt": ["$lease_until", "$$NOW"]}}


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

    def take(self, worker: str, lease_seconds: float, now: datetime) -> Document | None:
        """The next run, now held by this worker: the oldest that waits, else one whose worker has gone silent."""
        update = _held(worker, lease_seconds, now)
        for wanted in ({"status": RunStatus.QUEUED.value}, _LAPSED):
            taken = self._runs.find_one_and_update(
                wanted, update, sort=[("requested_at", 1)], return_document=ReturnDocument.AFTER
            )
            if taken is not None:
                return taken
        return None

    def renew(self, run_id: str, worker: str, lease_seconds: float) -> bool:
        """Hold on to a run; false when another has it now."""
        update = [{"$set": {"lease_until": _from_now(lease_seconds)}}]
        return self._runs.update_one(_mine(run_id, worker), update).matched_count == 1

    def finish(self, run_id: str, worker: str, outcome: Document) -> bool:
        """Write how a run ended; false when another has it now."""
        written = self._runs.update_one(_mine(run_id, worker), {"$set": outcome | {"lease_until": None}})
        return written.matched_count == 1

    def hand_back(self, run_id: str, worker: str, error: str | None) -> None:
        """Queue it again after trouble; without an error the worker was merely stopped, which counts as no attempt."""
        queued = {"status": RunStatus.QUEUED.value, "started_at": None, "lease_until": None, "error": error}
        attempts = 0 if error else -1
        self._runs.update_one(_mine(run_id, worker), {"$set": queued, "$inc": {"attempts": attempts}})


def _mine(run_id: str, worker: str) -> Document:
    return {"_id": run_id, "worker": worker, "status": RunStatus.RUNNING.value}


def _from_now(seconds: float) -> dict[str, Any]:
    return {"$add": ["$$NOW", round(seconds * 1000)]}


def _held(worker: str, lease_seconds: float, now: datetime) -> list[dict[str, Any]]:
    held = {
        "status": RunStatus.RUNNING.value,
        "worker": worker,
        "started_at": now,
        "lease_until": _from_now(lease_seconds),
        "attempts": {"$add": [{"$ifNull": ["$attempts", 0]}, 1]},
        "error": None,
    }
    return [{"$set": held}]
