"""The audit log: what is kept, that it is sealed without gaps by several processes at once, and who may read it."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from stockverify import activity, clients, indexes
from stockverify.settings import Settings
from stockverify.vocabulary import Action, Collection, Role
from tests.service import Service, claim

Stored = Database[dict[str, Any]]
ANN = Caller("u-1", "ann", Role.STAFF, "l-1", "d-1")


def test_what_happens_to_a_rack_is_kept_with_who_did_it(service: Service, stored: Stored) -> None:
    staff, supervisor, rack = service.person(), service.person("supervisor"), service.rack()
    first = claim(staff, rack)
    staff.post(f"/api/racks/{rack}/release").raise_for_status()
    second = claim(staff, rack)
    staff.post(f"/api/sessions/{second['session_id']}/complete").raise_for_status()
    staff.post(f"/api/sessions/{second['session_id']}/complete").raise_for_status()
    supervisor.post(f"/api/racks/{rack}/reverify").raise_for_status()
    supervisor.post(f"/api/racks/{rack}/reverify").raise_for_status()
    subjects = {"$in": [rack, second["session_id"]]}
    found = stored[Collection.ACTIVITY_LOGS].find({"subject": subjects}).sort("at", 1)
    assert [(entry["action"], entry["details"]) for entry in found] == [
        ("rack.claimed", {"session_id": first["session_id"], "fence": 1, "round": 1}),
        ("rack.released", {"session_id": first["session_id"]}),
        ("rack.claimed", {"session_id": second["session_id"], "fence": 2, "round": 1}),
        ("session.completed", {"rack_id": rack, "round": 1}),
        ("rack.reverify_requested", {"round": 2}),
    ]


def test_auditors_and_admins_read_it_and_nobody_else(service: Service) -> None:
    staff, rack = service.person(), service.rack()
    claim(staff, rack)
    for role, status in (("staff", 403), ("supervisor", 403), ("auditor", 200)):
        assert service.person(role).get("/api/activity/").status_code == status
    deadline = time.monotonic() + 10
    while not (entries := service.admin.get("/api/activity/", params={"subject": rack}).json()):
        assert time.monotonic() < deadline, "sealed within seconds"
        time.sleep(0.05)
    assert [(entry["action"], entry["subject"]) for entry in entries] == [("rack.claimed", rack)]
    page = service.admin.get("/api/activity/", params={"limit": 2}).json()
    rest = service.admin.get("/api/activity/", params={"limit": 1, "before": page[-1]["sequence"]}).json()
    assert rest[0]["sequence"] == page[-1]["sequence"] - 1 == page[0]["sequence"] - 2


def test_there_is_no_way_to_change_or_delete_an_entry(service: Service) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert service.admin.request(method, "/api/activity/").status_code == 405
    assert [name for name in vars(ActivityStore) if not name.startswith("_")] == ["note", "entries", "seal", "head"]


async def test_several_processes_seal_at_once_without_gaps_or_forks(settings: Settings) -> None:
    async with clients.open_async_mongo(settings.mongodb_uri or "") as mongo:
        database = clients.async_database(mongo, settings)
        await indexes.ensure(database)
        stores = [ActivityStore(database) for _ in range(4)]

        async def write(store: ActivityStore, place: int) -> None:
            for number in range(25):
                await store.note(Action.RACK_CLAIMED, ANN, f"R{place}-{number}", datetime.now(UTC), fence=number)
                await store.seal()

        await asyncio.gather(*(write(store, place) for place, store in enumerate(stores)))
        while await stores[0].seal():
            pass
        sealed = await database[Collection.ACTIVITY_LOGS].find().sort("sequence", 1).to_list()
    assert [entry["sequence"] for entry in sealed] == list(range(1, 101))
    assert list(activity.problems(sealed)) == []
