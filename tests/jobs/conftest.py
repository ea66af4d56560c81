"""A database, a lake and a queue for each test."""

from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from analytics.lake import Lake
from jobs.store import RunStore
from stockverify.clients import Document, database
from stockverify.settings import Settings
from tests.analytics.stock import NOW


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
        **fields,
    }
