"""What becomes of an import that breaks off: another process goes on with it, and the book ends as it was agreed to."""

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from pymongo import MongoClient
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.database import Database

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.imports import rules
from ingest.imports.running import work
from ingest.imports.store import ImportStore
from ingest.reports import errands, telling
from ingest.reports.answers import ListApplied
from ingest.reports.room import Room, open_room
from stockverify import clients, indexes
from stockverify.clients import Document, as_stored
from stockverify.errors import SetupError
from stockverify.services.embedded import Backends
from stockverify.settings import Settings
from stockverify.vocabulary import Role
from stockverify.wire.imports import Checked, ImportOptions
from tests.ingest.lists import csv

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
ANN = Caller("u-1", "ann", Role.SUPERVISOR, "l-1", "")
LINES = 20_000


@pytest.fixture
def apart(embedded: Backends, tmp_path: Path) -> Settings:
    """The real MongoDB, in a database of this test's own."""
    name = f"imports_{tmp_path.name}"[:60]
    return msgspec.structs.replace(embedded.settings, data_dir=tmp_path, mongodb_database=name)


@pytest.fixture
def stored(apart: Settings, mongo: "MongoClient[Document]") -> "Database[Document]":
    """That database, with its indexes."""
    found = clients.database(mongo, apart)
    indexes.ensure_blocking(found)
    return found


@pytest.fixture
async def room(apart: Settings) -> AsyncIterator[Room]:
    """Where lists are read and written."""
    async with open_room(apart) as opened:
        yield opened


@pytest.fixture
async def store(apart: Settings, room: Room) -> AsyncIterator[ImportStore]:
    """The store, as a service process has it."""
    async with clients.open_async_mongo(apart.mongodb_uri or "") as client:
        database = clients.async_database(client, apart)
        yield ImportStore(database, room, ActivityStore(database), apart)


async def queued(stored: "Database[Document]", store: ImportStore, room: Room, data: bytes, name: str) -> Document:
    """A list that somebody agreed to."""
    folder = store.folder(name)
    folder.mkdir(parents=True)
    (folder / "list").write_bytes(data)
    asked = errands.CheckList(path=str(folder / "list"), options=ImportOptions())
    found = await room.run(asked, Checked, ())
    job = rules.uploaded(name, "list.csv", len(data), hashlib.sha256(data).hexdigest(), ANN, NOW)
    agreed = {"status": "queued", "committed_by": "ann", "committed_by_id": "u-1", "committed_at": as_stored(NOW)}
    stored.stock_imports.insert_one(job | rules.findings(ImportOptions(), found) | agreed)
    return job


async def test_one_list_is_written_at_a_time_and_a_dead_writer_is_followed_by_another(
    stored: "Database[Document]", store: ImportStore, room: Room
) -> None:
    for name in ("imp-1", "imp-2"):
        await queued(stored, store, room, csv(f"R,F,{name},Bolt,1,1"), name)
    first = await store.take(NOW)
    assert first is not None
    assert await store.take(NOW + timedelta(seconds=rules.LEASE_SECONDS - 1)) is None
    again = await store.take(NOW + timedelta(seconds=rules.LEASE_SECONDS + 1))
    assert again is not None
    assert (again["_id"], again["attempts"]) == (first["_id"], 2)
    assert await store.renew(first, {}, NOW) is False
    await work(store, room, again)
    other = await store.take(NOW)
    assert other is not None
    assert other["_id"] != first["_id"]


async def test_a_writer_that_is_killed_is_followed_by_one_that_writes_the_rest_once(
    stored: "Database[Document]", store: ImportStore, room: Room
) -> None:
    data = csv(*(f"R{number % 50},F,{number:06d},Bolt,{number % 7},1" for number in range(LINES)))
    await queued(stored, store, room, data, "imp-1")
    job = await store.take(NOW)
    assert job is not None
    written = asyncio.create_task(work(store, room, job))
    while not (told := telling.told(store.folder("imp-1"))) or not told.done:  # noqa: ASYNC110 - of another process
        await asyncio.sleep(0.005)
    assert room.lists.pid is not None
    os.kill(room.lists.pid, signal.SIGKILL)
    half = stored.erp_items.count_documents({})
    assert 0 < half < LINES
    await written
    done = stored.stock_imports.find_one({"_id": "imp-1"})
    assert done is not None
    assert (done["status"], done["overtaken"]) == ("done", 0)
    assert stored.erp_items.count_documents({}) == LINES
    assert stored.erp_items.count_documents({"versions": {"$exists": True}}) == 0
    assert {rack["item_count"] for rack in stored.rack_registry.find()} == {LINES // 50}


async def test_a_list_that_is_another_file_by_now_is_not_written(
    stored: "Database[Document]", store: ImportStore, room: Room
) -> None:
    await queued(stored, store, room, csv("R,F,A,Bolt,1,1"), "imp-1")
    (store.folder("imp-1") / "list").write_bytes(csv("R,F,B,Bolt,1,1"))
    job = await store.take(NOW)
    assert job is not None
    await work(store, room, job)
    failed = stored.stock_imports.find_one({"_id": "imp-1"})
    assert failed is not None
    assert (failed["status"], "Upload it again" in failed["note"]) == ("failed", True)
    assert stored.erp_items.count_documents({}) == 0


async def test_what_breaks_off_again_and_again_is_given_up_with_a_reason(
    stored: "Database[Document]", store: ImportStore, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await queued(stored, store, room, csv("R,F,A,Bolt,1,1"), "imp-1")

    async def breaks(_: object, kind: type[ListApplied], floors: object) -> ListApplied:
        raise SetupError(reason="MongoDB stopped taking the import")

    monkeypatch.setattr(room, "run", breaks)
    for attempt in range(1, rules.MOST_ATTEMPTS + 1):
        job = await store.take(NOW + timedelta(hours=attempt))
        assert job is not None
        assert job["attempts"] == attempt
        await work(store, room, job)
    failed = stored.stock_imports.find_one({"_id": "imp-1"})
    assert failed is not None
    assert (failed["status"], "tried 5 times" in failed["note"]) == ("failed", True)
    assert await store.take(NOW + timedelta(days=9)) is None


async def test_a_list_that_nobody_goes_on_with_is_let_go(
    stored: "Database[Document]", store: ImportStore, room: Room
) -> None:
    await queued(stored, store, room, csv("R,F,A,Bolt,1,1"), "imp-1")
    stored.stock_imports.update_one({"_id": "imp-1"}, {"$set": {"status": "open"}})
    await store.expire(NOW + timedelta(hours=23))
    assert store.folder("imp-1").is_dir()
    await store.expire(NOW + timedelta(hours=25))
    assert not store.folder("imp-1").exists()
    assert (await store.one("imp-1")).status == "expired"


async def test_a_list_that_somebody_agrees_to_at_that_moment_keeps_its_file(
    stored: "Database[Document]", store: ImportStore, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await queued(stored, store, room, csv("R,F,A,Bolt,1,1"), "imp-1")
    stored.stock_imports.update_one({"_id": "imp-1"}, {"$set": {"status": "open"}})
    found = AsyncCursor.to_list

    async def overtaken(cursor: AsyncCursor[Document], *most: int) -> list[Document]:
        rows = await found(cursor, *most)
        stored.stock_imports.update_one({"_id": "imp-1"}, {"$set": {"status": "queued"}})
        return rows

    monkeypatch.setattr(AsyncCursor, "to_list", overtaken)
    await store.expire(NOW + timedelta(hours=25))
    assert store.folder("imp-1").is_dir()
    assert (await store.one("imp-1")).status == "queued"
