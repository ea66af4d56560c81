"""A database, a lake and a queue for each test."""

import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from pymongo import MongoClient, timeout
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from analytics.lake import Lake
from jobs.runs.store import RunStore
from jobs.schedules.queueing import Queueing
from jobs.work import WORK, Work
from jobs.worker import Worker
from stockverify.clients import Document, database
from stockverify.settings import Settings
from tests.analytics.stock import NOW

_EMPTIED: list[str] = []


@pytest.fixture
def settings(settings: Settings, mongo: "MongoClient[Document]") -> Iterator[Settings]:
    """With a database that an earlier test has used, emptied: almost all of these tests need all 93 indexes, which take
    a third of a second of a processor, and then keep MongoDB busy for as long as they exist."""
    name = _EMPTIED.pop() if _EMPTIED else settings.mongodb_database
    mine = msgspec.structs.replace(settings, mongodb_database=name)
    yield mine
    if _emptied(database(mongo, mine)):
        _EMPTIED.append(name)


def _emptied(used: "Database[Document]") -> bool:
    """Not where a worker that was killed has left a transaction: MongoDB holds on to that for a minute."""
    soon = used.with_options(write_concern=WriteConcern(1))
    try:
        with timeout(0.5):
            for name in soon.list_collection_names():
                soon[name].delete_many({})
            used["report_runs"].delete_many({})  # journaled, and so are those before it: readers see it done
    except PyMongoError:
        return False
    return True


@pytest.fixture
def db(settings: Settings, mongo: "MongoClient[Document]") -> "Database[Document]":
    """The test's own database."""
    return database(mongo, settings)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    """An empty lake."""
    return Lake(settings.lake)


@pytest.fixture
def store(db: "Database[Document]") -> RunStore:
    """The queue in that database."""
    return RunStore(db)


class Whole:
    """A worker without its clock: one that queues what is due, and does it."""

    def __init__(
        self,
        db: "Database[Document]",
        lake: Lake,
        settings: Settings,
        name: str = "w",
        stop: threading.Event | None = None,
        work: Mapping[str, Work] = WORK,
        **more: Any,
    ) -> None:
        self.queueing = Queueing(db, lake, settings)
        self.worker = Worker(db, lake, settings, name, stop or threading.Event(), work, **more)

    def tick(self, now: datetime) -> None:
        """One tick of each."""
        self.queueing.tick(now)
        self.worker.tick(now)


def queued(run_id: str, age: int = 0, **fields: Any) -> Document:
    """A run as the service queues it."""
    return {
        "_id": run_id,
        "kind": "materialise",
        "status": "queued",
        "name": f"name of {run_id}",
        "requested_by": "ann",
        "requested_at": NOW - timedelta(seconds=age),
        "started_at": None,
        "finished_at": None,
        "snapshot_id": None,
        "error": None,
        "due_at": None,
        "purpose": "now",
        "rank": 0,
        **fields,
    }
