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
from stockverify.wire.activity import ChainCheck
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
    deadline = time.monotonic() + 60
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
    assert [name for name in vars(ActivityStore) if not name.startswith("_")] == [
        *("note", "entries", "chain", "seal", "head")
    ]


def test_the_chain_is_checked_for_those_who_audit(service: Service) -> None:
    claim(service.person(), service.rack())
    for role, status in (("staff", 403), ("supervisor", 403), ("auditor", 200)):
        assert service.person(role).get("/api/activity/chain").status_code == status
    found = service.admin.get("/api/activity/chain").json()
    assert (found["holds"], found["problems"], found["first"]) == (True, [], 1)
    assert found["last"] == found["end"] > 1
    rest = service.admin.get("/api/activity/chain", params={"after": found["last"] - 1}).json()
    assert (rest["holds"], rest["first"]) == (True, found["last"])
    for after, status in ((2**53, 404), (-1, 400), ("x", 400)):
        assert service.admin.get("/api/activity/chain", params={"after": after}).status_code == status


def sealed(count: int) -> list[dict[str, Any]]:
    """Entries of a chain."""
    head, found = activity.EMPTY, []
    for number in range(count):
        author, at = activity.Author("u-1", "ann"), datetime(2026, 1, 5, 9, tzinfo=UTC)
        entry = activity.unsealed(f"a-{number}", Action.RACK_CLAIMED, author, "R1", at, {"n": number})
        found.append(entry | activity.seal(entry, head))
        head = activity.Head(found[-1]["sequence"], found[-1]["hash"])
    return found


async def test_a_check_says_what_is_wrong_and_goes_on_where_its_time_was_over(settings: Settings) -> None:
    async with clients.open_async_mongo(settings.mongodb_uri or "") as mongo:
        database = clients.async_database(mongo, settings)
        await indexes.ensure(database)
        store, log = ActivityStore(database), database[Collection.ACTIVITY_LOGS]
        assert await store.chain(0) == ChainCheck(holds=True, first=0, last=0, end=0, problems=[])
        await log.insert_many(sealed(1200))
        assert await store.chain(0) == ChainCheck(holds=True, first=1, last=1200, end=1200, problems=[])
        short = await store.chain(0, seconds=-1)
        assert short == ChainCheck(holds=True, first=1, last=500, end=1200, problems=[])
        await log.update_one({"sequence": 400}, {"$set": {"username": "eve"}})
        await log.delete_one({"sequence": 501})
        assert (await store.chain(0)).problems == [
            "entry 400 was changed after it was sealed",
            "entries 501 to 501 are missing",
        ]
        assert (await store.chain(short.last)).problems == ["entries 501 to 501 are missing"]
        assert (await store.chain(501 + 1)).holds
        await log.update_many({"sequence": {"$lte": 100}}, {"$set": {"username": "eve"}})
        assert len((await store.chain(0)).problems) == 20


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
