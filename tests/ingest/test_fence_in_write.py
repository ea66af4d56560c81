"""The fence is checked by the write itself: what was decided before a claim is not stored after it (invariant 11)."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from pymongo.database import Database

from ingest.auth.rules import Caller
from ingest.live.feed import Feed
from ingest.sync.batches import read_batch
from ingest.sync.reading import WorldReader
from ingest.sync.store import SyncStore
from ingest.sync.world import World
from stockverify import clients
from stockverify.vocabulary import Role
from tests.service import Service, claim, record

Stored = Database[dict[str, Any]]


class Slow:
    """Reads the world, and lets something happen before the decision is written."""

    def __init__(self, reader: WorldReader, happens: Callable[[], Any]) -> None:
        self._reader, self._happens = reader, happens
        self.readings = 0

    async def read(self, entries: Any, caller: Caller) -> World:
        """The world as it was before."""
        world = await self._reader.read(entries, caller)
        self.readings += 1
        if self.readings == 1:
            self._happens()
        return world


@pytest.mark.parametrize("change", ["claimed by another", "taken by a supervisor"])
async def test_a_claim_between_decision_and_write_keeps_the_record_aside(
    service: Service, stored: "Stored", change: str
) -> None:
    holder, other, boss, rack = service.person(), service.person(), service.person("supervisor"), service.rack()
    grant = claim(holder, rack)
    session = stored.verification_sessions.find_one({"_id": grant["session_id"]})
    assert session is not None
    caller = Caller(session["user_id"], session["username"], Role.STAFF, "login", session["device_id"])

    def happens() -> None:
        boss.post(f"/api/racks/{rack}/force-release", json={"reason": "went home"}).raise_for_status()
        if change == "claimed by another":
            claim(other, rack)

    settings = service.settings
    async with clients.open_async_mongo(settings.mongodb_uri or "") as mongo:
        database = clients.async_database(mongo, settings)
        store = SyncStore(mongo, database, Feed(lambda message, channel: None))
        slow = Slow(WorldReader(database), happens)
        store._reader = slow  # type: ignore[assignment]
        batch = read_batch(msgspec.json.encode({"records": [record(grant, f"{rack}-1")]}))
        (outcome,) = (await store.accept(batch, caller, f"receipt-{rack}")).outcomes
    assert getattr(outcome, "conflict_type", None) == "rack_locked"
    assert slow.readings == 2
    assert stored.verification_records.count_documents({"rack_id": rack}) == 0
    assert stored.sync_conflicts.count_documents({"session_id": grant["session_id"]}) == 1
