"""A house with two snapshots, and runs of report schedules in it as the worker takes them."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest
from pymongo import MongoClient

from analytics.lake import Freeze, Lake
from jobs.tools import Tools
from stockverify.clients import Document, database
from stockverify.services.embedded import Backends
from stockverify.settings import Settings
from stockverify.vocabulary import Collection
from tests.dashboard.stock import two_snapshots

NOW = datetime(2026, 1, 5, 6, 1, tzinfo=UTC)
DUE = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
HOSTILE = 'Räume <script>alert("x")</script> & {{ 7*7 }}\r\nBcc: all@example.com'


class House(NamedTuple):
    """Snapshots of the evening before and of right after the report was due."""

    tools: Tools
    older: Freeze
    newer: Freeze

    @property
    def settings(self) -> Settings:
        """Where everything lies."""
        return self.tools.settings


MakeRun = Callable[..., Document]


@pytest.fixture(scope="session")
def house(embedded: Backends, mongo: "MongoClient[Document]", tmp_path_factory: pytest.TempPathFactory) -> House:
    """Tests share it: each has runs of its own."""
    folder = tmp_path_factory.mktemp("house")
    settings = msgspec.structs.replace(
        embedded.settings,
        data_dir=folder,
        mongodb_database="house",
        time_zone="Europe/Berlin",
        secret="s" * 32,
        dashboard_url="https://stock.example",
        public_api_url="https://api.example",
    )
    found, lake = database(mongo, settings), Lake(settings.lake)
    older, newer = two_snapshots(found, lake)
    return House(Tools(found, lake, settings, lambda: False), older, newer)


_NUMBERS = itertools.count(1)


@pytest.fixture
def make_run(house: House) -> MakeRun:
    """Queues a run and takes it, as a worker would have."""

    def make(
        schedule: Document | None = None,
        snapshot: Freeze | None = house.newer,
        tools: Tools = house.tools,
        **fields: Any,
    ) -> Document:
        run = run_of(schedule or {}, **fields)
        if snapshot is not None:
            run["snapshot_id"] = snapshot.snapshot_id
        house.tools.database[Collection.RUNS].insert_one(run)
        return run

    return make


def run_of(schedule: Document, **fields: Any) -> Document:
    """A run of a schedule that is like these fields."""
    number = next(_NUMBERS)
    return {
        "_id": f"sch-{number:016x}@20260105T060000Z",
        "kind": "report",
        "status": "running",
        "purpose": "scheduled",
        "schedule_id": f"sch-{number:016x}",
        "schedule": schedule_of() | {"_id": f"sch-{number:016x}"} | schedule,
        "due_at": DUE,
        "late": False,
        "worker": "w",
        "fence": 1,
        "attempts": 1,
        "requested_by": "schedule",
        "requested_email": None,
        "requested_at": DUE,
        "snapshot_id": None,
        **fields,
    }


def schedule_of() -> Document:
    """A summary for two people."""
    return {
        "name": "Morning report",
        "kind": "report",
        "report": {"subject": "summary", "ref": None, "query": None, "params": {}, "columns": None},
        "formats": ["html"],
        "recipients": ["ann@example.com", "ben@example.com"],
        "condition": {"kind": "always", "figure": None, "op": None, "limit": None},
        "max_attachment_bytes": 10 * 2**20,
        "zone": "Europe/Berlin",
        "owner_id": "u-1",
        "owner": "olga",
        "unsubscribed": [],
        "last": None,
    }


def about(subject: str, **fields: Any) -> Document:
    """What is reported on."""
    return {"report": {"subject": subject, "ref": None, "query": None, "params": {}, "columns": None, **fields}}


def only_when(kind: str, figure: str | None = None, op: str | None = None, limit: float | None = None) -> Document:
    """A condition."""
    return {"condition": {"kind": kind, "figure": figure, "op": op, "limit": limit}}


def after(delivered: Freeze | None, content_hash: str = "", over_limit: bool = False) -> Document:
    """How the last run ended."""
    snapshot_id = delivered.snapshot_id if delivered else None
    return {"last": {"delivered_snapshot_id": snapshot_id, "content_hash": content_hash, "over_limit": over_limit}}


LATE = {"late": True, "due_at": DUE - timedelta(days=3)}
