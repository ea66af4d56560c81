"""`doctor` on the audit log: forged, removed and forgotten entries are found, also at the end of the chain."""

import stat
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection as Stored

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from stockverify import clients, indexes
from stockverify.cli.checks.audit_log import HEAD_FILE, audit_log
from stockverify.settings import Settings
from stockverify.vocabulary import Action, Collection, Role

ANN = Caller("u-1", "ann", Role.SUPERVISOR, "l-1", "d-1")


@pytest.fixture
async def log(settings: Settings, mongo: "MongoClient[dict[str, Any]]") -> Stored[dict[str, Any]]:
    """Six sealed entries."""
    async with clients.open_async_mongo(settings.mongodb_uri or "") as client:
        database = clients.async_database(client, settings)
        await indexes.ensure(database)
        store = ActivityStore(database)
        for number in range(6):
            await store.note(Action.RACK_FORCE_RELEASED, ANN, f"R{number}", datetime.now(UTC), reason="gone home")
            await store.seal()
    return clients.database(mongo, settings)[Collection.ACTIVITY_LOGS]


def said(settings: Settings) -> list[tuple[bool, str]]:
    return [(finding.fine, finding.says) for finding in audit_log(settings)]


ALL_WELL = [(True, "6 entries, each follows the one before it")]


def test_an_untouched_log_is_fine_and_its_end_is_noted(settings: Settings, log: Stored[dict[str, Any]]) -> None:
    assert said(settings) == ALL_WELL
    note = settings.data_dir / HEAD_FILE
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert said(settings) == ALL_WELL


def test_a_forged_entry_is_named(settings: Settings, log: Stored[dict[str, Any]]) -> None:
    log.update_one({"sequence": 3}, {"$set": {"details.reason": "it was on fire"}})
    assert said(settings) == [(False, "entry 3 was changed after it was sealed")]


def test_a_removed_end_is_found_by_the_next_check(settings: Settings, log: Stored[dict[str, Any]]) -> None:
    assert said(settings) == ALL_WELL
    log.delete_many({"sequence": {"$gte": 5}})
    assert said(settings) == [(False, "entries 5 to 6 were there at the last check and are gone")]
    assert said(settings) == [(False, "entries 5 to 6 were there at the last check and are gone")]


def test_entries_that_nobody_seals_are_found(settings: Settings, log: Stored[dict[str, Any]]) -> None:
    last = log.find_one({"sequence": 6}) or {}
    waiting = {"_id": "a-late", "at": datetime.now(UTC) - timedelta(minutes=2), "sequence": None}
    log.insert_one(last | waiting | {"previous": None, "hash": None})
    assert said(settings) == [*ALL_WELL, (False, "1 entries are not sealed yet")]
