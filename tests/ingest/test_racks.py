"""Claims, leases, fences and the states of a rack (invariants 10 to 12)."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from pymongo.database import Database
from redis import Redis

from ingest.activity.store import ActivityStore
from ingest.leases.store import LeaseStore
from ingest.live.feed import Feed
from ingest.racks.rules import RackMoved
from ingest.racks.store import RackStore
from stockverify import clients
from stockverify.breaker import Breaker
from stockverify.services.embedded import Backends
from stockverify.vocabulary import RackState, SessionStatus, rack_lock_key
from tests.service import Service, claim, record, running_service, sync

Stored = Database[dict[str, Any]]


def test_a_claim_creates_an_unknown_rack_and_gives_a_grant(service: Service, leases: "Redis") -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack, "Ground")
    assert grant == {
        "success": True,
        "rack_id": rack,
        "session_id": grant["session_id"],
        "floor": "Ground",
        "lock_ttl": 60,
        "fence": 1,
        "message": "The rack is yours.",
    }
    assert leases.get(rack_lock_key(rack)) == grant["session_id"]
    assert 55_000 < leases.pttl(rack_lock_key(rack)) <= 60_000
    status = staff.get(f"/api/racks/{rack}/status").json()
    assert (status["status"], status["session_id"]) == ("claimed", grant["session_id"])
    assert status["lock_expires_at"] > time.time()


def test_the_same_person_and_device_get_the_same_grant_again(service: Service) -> None:
    staff, rack = service.person(device="phone"), service.rack()
    first, second = claim(staff, rack), claim(staff, rack)
    assert (second["session_id"], second["fence"]) == (first["session_id"], first["fence"])


def test_another_person_is_refused_while_the_rack_is_held(service: Service) -> None:
    rack = service.rack()
    claim(service.person(), rack)
    reply = service.person().post(f"/api/racks/{rack}/claim", json={})
    assert reply.status_code == 409
    assert rack in reply.json()["detail"]


def test_another_device_of_the_same_person_may_take_over_when_it_says_so(service: Service) -> None:
    phone, rack = service.person(device="phone"), service.rack()
    first = claim(phone, rack)
    name = phone.get("/api/auth/me").json()["username"]
    tablet = service.log_in(name, "password-of-the-tests", device="tablet")
    assert tablet.post(f"/api/racks/{rack}/claim", json={}).status_code == 409
    moved = claim(tablet, rack, take_over=True)
    assert moved["fence"] == first["fence"] + 1
    assert moved["session_id"] != first["session_id"]
    answer = sync(phone, record(first, f"{rack}-late"))
    assert [conflict["conflict_type"] for conflict in answer["conflicts"]] == ["rack_locked"]


def test_sixteen_claimants_at_once_give_one_grant(service: Service, stored: Stored) -> None:
    rack, people = service.rack(), [service.person() for _ in range(8)]
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda one: one.post(f"/api/racks/{rack}/claim", json={}), people * 2))
    winners = {reply.json()["session_id"] for reply in replies if reply.status_code == 200}
    assert len(winners) == 1
    assert {reply.status_code for reply in replies} == {200, 409}
    assert stored.rack_registry.find_one({"_id": rack})["fence"] == 1  # type: ignore[index]


def test_sessions_get_different_ids_even_within_one_second(service: Service) -> None:
    staff, rack = service.person(), service.rack()
    grants = []
    for _ in range(3):
        grants.append(claim(staff, rack))
        staff.post(f"/api/racks/{rack}/release").raise_for_status()
    assert len({grant["session_id"] for grant in grants}) == 3
    assert [grant["fence"] for grant in grants] == [1, 2, 3]


def test_pause_reserves_the_rack_and_resume_goes_on(service: Service, leases: "Redis") -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    paused = staff.post(f"/api/racks/{rack}/pause").json()
    assert (paused["success"], paused["status"]) == (True, "paused")
    assert leases.pttl(rack_lock_key(rack)) > 3_500_000
    assert service.person().post(f"/api/racks/{rack}/claim", json={}).status_code == 409
    assert staff.post(f"/api/racks/{rack}/resume").json()["status"] == "active"
    assert leases.pttl(rack_lock_key(rack)) <= 60_000
    assert staff.post(f"/api/racks/{rack}/resume").status_code == 400
    assert claim(staff, rack)["session_id"] == grant["session_id"]


def test_release_is_for_the_holder_and_frees_the_rack(service: Service) -> None:
    staff, other, rack = service.person(), service.person(), service.rack()
    grant = claim(staff, rack)
    assert other.post(f"/api/racks/{rack}/release").status_code == 403
    assert other.post("/api/racks/none-such/release").status_code == 404
    assert staff.post(f"/api/racks/{rack}/release").json()["success"] is True
    assert sync(staff, record(grant, f"{rack}-1"))["ok"] == [f"{rack}-1"], "late work is welcome while nobody claimed"
    assert claim(other, rack)["fence"] == 2
    answer = sync(staff, record(grant, f"{rack}-2"))
    assert answer["conflicts"][0]["conflict_type"] == "rack_locked"


def test_a_completed_rack_opens_again_only_by_reverify_in_a_new_round(service: Service, stored: Stored) -> None:
    staff, supervisor, rack = service.person(), service.person("supervisor"), service.rack()
    grant = claim(staff, rack)
    sync(staff, record(grant, f"{rack}-1"))
    assert staff.post(f"/api/sessions/{grant['session_id']}/complete").json()["success"] is True
    assert staff.get(f"/api/racks/{rack}/status").json()["status"] == "completed"
    assert staff.post(f"/api/racks/{rack}/claim", json={}).status_code == 409
    assert staff.post(f"/api/racks/{rack}/reverify").status_code == 403
    assert supervisor.post(f"/api/racks/{rack}/reverify").json()["status"] == "reverify_requested"
    assert supervisor.post(f"/api/racks/{rack}/reverify").status_code == 200, "asking twice changes nothing"
    again = claim(staff, rack)
    assert stored.verification_sessions.find_one({"_id": again["session_id"]})["round"] == 2  # type: ignore[index]
    assert sync(staff, record(again, f"{rack}-2"))["ok"] == [f"{rack}-2"], "another round counts the same item again"


def test_force_release_needs_a_reason_and_fences_the_holder_off(service: Service, stored: Stored) -> None:
    staff, supervisor, rack = service.person(), service.person("supervisor"), service.rack()
    grant = claim(staff, rack)
    assert supervisor.post(f"/api/racks/{rack}/force-release", json={"reason": ""}).status_code == 400
    reply = supervisor.post(f"/api/racks/{rack}/force-release", json={"reason": "phone lost"})
    assert reply.json()["status"] == "available"
    entry = stored.activity_logs.find_one({"subject": rack, "action": "rack.force_released"}) or {}
    assert entry["details"]["reason"] == "phone lost"
    assert sync(staff, record(grant, f"{rack}-1"))["conflicts"][0]["conflict_type"] == "rack_locked"


def test_available_lists_racks_that_nobody_holds(service: Service) -> None:
    staff, floor = service.person(), service.rack("Floor")
    held, free = service.rack(), service.rack()
    claim(staff, held, floor)
    claim(staff, free, floor)
    staff.post(f"/api/racks/{free}/release")
    listed = staff.get("/api/racks/available", params={"floor": floor}).json()
    assert listed == [{"rack_id": free, "floor": floor, "status": "available", "item_count": 0}]
    assert floor in staff.get("/api/racks/floors").json()
    assert [rack["rack_id"] for rack in staff.get("/api/racks/user/active").json()] == [held]


@pytest.mark.alone
def test_without_redis_claims_are_503_and_sync_goes_on(embedded: Backends, service: Service, tmp_path: Any) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    away = msgspec.structs.replace(
        service.settings, redis_url="redis://127.0.0.1:1", data_dir=tmp_path, secret="s" * 32
    )
    with running_service(away) as lonely:
        name = staff.get("/api/auth/me").json()["username"]
        same = lonely.log_in(name, "password-of-the-tests")
        started = time.monotonic()
        refused = same.post(f"/api/racks/{service.rack()}/claim", json={})
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert time.monotonic() - started < 1
        assert sync(same, record(grant, f"{rack}-1"))["ok"] == [f"{rack}-1"]
        assert same.get("/api/health").json()["status"] == "degraded"
        free = claim(staff, service.rack())["rack_id"]
        staff.post(f"/api/racks/{free}/release").raise_for_status()
        offered = [entry["rack_id"] for entry in same.get("/api/racks/available").json()]
        assert free in offered
        assert rack not in offered, "without leases only racks that MongoDB calls free are offered"
        assert [entry["present"] for entry in same.get("/api/sessions/presence").json()] == [None]
        status = same.get(f"/api/racks/{rack}/status").json()
        assert (status["session_id"], status["lock_expires_at"]) == (grant["session_id"], None)


def test_force_release_needs_a_holder_and_never_reopens_a_completed_rack(service: Service) -> None:
    staff, supervisor, rack = service.person(), service.person("supervisor"), service.rack()
    grant = claim(staff, rack)
    staff.post(f"/api/sessions/{grant['session_id']}/complete")
    reply = supervisor.post(f"/api/racks/{rack}/force-release", json={"reason": "by mistake"})
    assert reply.status_code == 409
    assert staff.get(f"/api/racks/{rack}/status").json()["status"] == "completed"


def test_closing_a_session_by_hand_frees_its_rack(service: Service) -> None:
    staff, rack = service.person(), service.rack()
    first = claim(staff, rack)
    closed = staff.put(f"/api/sessions/{first['session_id']}/status", params={"status": "CLOSED"})
    assert closed.json() == {"success": True, "id": first["session_id"], "status": "closed"}
    assert staff.get(f"/api/racks/{rack}/status").json()["status"] == "available"
    second = claim(staff, rack)
    assert second["session_id"] != first["session_id"]
    assert staff.post(f"/api/sessions/{second['session_id']}/heartbeat").json()["rack_lock_renewed"] is True


@pytest.mark.parametrize("status", ["open", "active", "paused", "reconcile"])
def test_a_claim_of_a_rack_that_was_let_go_closes_the_session_before(
    service: Service, leases: "Redis", status: str
) -> None:
    staff, rack = service.person(), service.rack()
    session = f"/api/sessions/{claim(staff, rack)['session_id']}"
    staff.put(f"{session}/status", params={"status": status}).raise_for_status()
    leases.delete(rack_lock_key(rack))
    claim(service.person(), rack)
    told = staff.get(session).json()
    assert (told["status"], told["completed_at"] is None) == ("closed", False)


def test_a_finished_session_stays_finished(service: Service) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    staff.post(f"/api/sessions/{grant['session_id']}/complete")
    reopened = staff.put(f"/api/sessions/{grant['session_id']}/status", params={"status": "active"})
    assert reopened.status_code == 409
    beat = staff.post(f"/api/sessions/{grant['session_id']}/heartbeat").json()
    assert beat["rack_lock_renewed"] is False


def test_pausing_by_hand_pauses_the_rack_too(service: Service) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    for status in ("paused", "active"):
        staff.put(f"/api/sessions/{grant['session_id']}/status", params={"status": status}).raise_for_status()
        assert staff.get(f"/api/racks/{rack}/status").json()["status"] == status


@pytest.mark.parametrize("other", ["pause", "release"])
def test_complete_and_another_change_at_once_end_in_one_of_the_two(
    service: Service, stored: Stored, other: str
) -> None:
    for _ in range(8):
        staff, rack = service.person(), service.rack()
        session_id = claim(staff, rack)["session_id"]
        with ThreadPoolExecutor(2) as pool:
            replies = list(pool.map(staff.post, [f"/api/sessions/{session_id}/complete", f"/api/racks/{rack}/{other}"]))
        state = stored.rack_registry.find_one({"_id": rack})
        session = stored.verification_sessions.find_one({"_id": session_id})
        assert state is not None
        assert session is not None
        ends = {
            ("completed", "completed"),
            ("available", "closed"),
            ("available", "completed"),
        }
        assert (state["status"], session["status"]) in ends, [reply.text for reply in replies]
        if replies[1].status_code >= 400:
            assert state["status"] == "completed"


def test_a_rack_name_may_hold_a_slash(service: Service) -> None:
    staff, name = service.person(), f"A/{service.rack()}"
    quoted = name.replace("/", "%2F")
    grant = staff.post(f"/api/racks/{quoted}/claim", json={}).json()
    assert grant["rack_id"] == name
    assert sync(staff, record(grant, f"{name}-1"))["ok"] == [f"{name}-1"]
    assert staff.get(f"/api/racks/{quoted}/status").json()["status"] == "active"
    assert staff.post(f"/api/racks/{quoted}/release").json()["rack_id"] == name


@pytest.mark.parametrize("name", ["%FF", "%20", "%00", "x" * 129])
def test_a_rack_name_that_is_not_usable_is_400(service: Service, name: str) -> None:
    assert service.person().post(f"/api/racks/{name}/claim", json={}).status_code == 400


@pytest.mark.parametrize(
    ("sent", "status", "kept"),
    [
        ({}, 200, None),
        ({"json": {}}, 200, None),
        ({"json": None, "headers": {"Content-Type": "application/json"}}, 200, None),
        ({"json": {"reason": None, "retry_count": 1}}, 200, None),
        ({"content": b"null"}, 200, None),
        ({"json": {"reason": "Counted in a hurry"}}, 200, "Counted in a hurry"),
        ({"json": {"reason": "no"}}, 400, None),
        ({"json": {"reason": "x" * 1001}}, 400, None),
        ({"json": {"reason": {"$ne": ""}}}, 400, None),
    ],
    ids=["nothing", "empty", "nothing-as-json", "others", "null", "reason", "short", "long", "object"],
)
def test_a_reason_for_another_round_is_kept_if_there_is_one(
    service: Service, stored: Stored, sent: dict[str, Any], status: int, kept: str | None
) -> None:
    staff, rack = service.person(), service.rack()
    staff.post(f"/api/sessions/{claim(staff, rack)['session_id']}/complete").raise_for_status()
    assert service.admin.post(f"/api/racks/{rack}/reverify", **sent).status_code == status
    entry = stored.activity_logs.find_one({"subject": rack, "action": "rack.reverify_requested"})
    assert (entry or {"details": {}})["details"].get("reason") == kept
    assert (entry is None) is (status == 400)


def test_reverify_opens_a_rack_whose_lease_a_late_heartbeat_left_behind(service: Service, leases: "Redis") -> None:
    staff, supervisor, rack = service.person(), service.person("supervisor"), service.rack()
    grant = claim(staff, rack)
    staff.post(f"/api/sessions/{grant['session_id']}/complete")
    leases.set(rack_lock_key(rack), grant["session_id"], px=3_600_000)
    supervisor.post(f"/api/racks/{rack}/reverify").raise_for_status()
    assert leases.get(rack_lock_key(rack)) is None
    assert claim(service.person(), rack)["fence"] == 2


async def test_a_pause_that_comes_too_late_leaves_no_lease_behind(service: Service, leases: "Redis") -> None:
    staff, rack = service.person(), service.rack()
    claim(staff, rack)
    settings = service.settings
    async with (
        clients.open_async_mongo(settings.mongodb_uri or "") as mongo,
        clients.open_redis(settings.redis_address() or "") as redis_client,
    ):
        database = clients.async_database(mongo, settings)
        leases_of_racks = LeaseStore(redis_client, Breaker("Redis", 5, 30, lambda error: isinstance(error, OSError)))
        activity, feed = ActivityStore(database), Feed(lambda message, channel: None)
        store = RackStore(mongo, database, leases_of_racks, activity, feed, settings)
        seen = await database.rack_registry.find_one({"_id": rack}) or {}
        staff.post(f"/api/racks/{rack}/release").raise_for_status()
        with pytest.raises(RackMoved):
            await store._switch(seen, RackState.PAUSED, SessionStatus.PAUSED, 3600, datetime.now(UTC))
    assert leases.get(rack_lock_key(rack)) is None


def test_two_processes_of_the_service_share_one_port_and_one_truth(embedded: Backends, tmp_path: Any) -> None:
    settings = msgspec.structs.replace(embedded.settings, mongodb_database=f"two_{tmp_path.name}", data_dir=tmp_path)
    with running_service(settings, processes=2) as service:
        rack = tmp_path.name
        people = [service.person() for _ in range(8)]  # each on a connection of its own
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda person: person.post(f"/api/racks/{rack}/claim", json={}), people))
        assert sorted(reply.status_code for reply in replies) == [200, *[409] * 7]
        winner = people[[reply.status_code for reply in replies].index(200)]
        service.children[0].kill()
        again = claim_until_answered(winner, rack)
        assert again["fence"] == 1, "the other process goes on, and gives the same grant"


def claim_until_answered(person: httpx.Client, rack: str) -> dict[str, Any]:
    """A connection to a process that was killed is lost; the next one reaches another process."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return claim(person, rack)
        except httpx.TransportError:
            assert time.monotonic() < deadline


def test_a_lease_that_could_not_be_given_back_stands_in_nobodys_way(service: Service, leases: "Redis") -> None:
    ann, bob, rack = service.person(), service.person(), service.rack()
    grant = claim(ann, rack)
    ann.post(f"/api/racks/{rack}/release").raise_for_status()
    leases.set(rack_lock_key(rack), grant["session_id"], px=60_000)  # as if Redis had been away just then
    assert claim(bob, rack)["fence"] == 2
    leases.set(rack_lock_key(rack), "s-just-being-granted", px=60_000)
    assert ann.post(f"/api/racks/{rack}/claim", json={}).status_code == 409


def test_all_racks_are_listed_whoever_holds_them_for_those_who_read_reports(service: Service) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack, f"Floor of {rack}")
    other = service.rack()
    claim(staff, other, f"Floor of {rack}")
    staff.post(f"/api/racks/{other}/release").raise_for_status()
    listed = service.person("auditor").get("/api/racks/", params={"floor": f"Floor of {rack}"}).json()
    shown = {each["rack_id"]: (each["status"], each["session_id"], each["round"]) for each in listed}
    assert shown == {rack: ("claimed", grant["session_id"], 1), other: ("available", None, 1)}
    assert rack in {each["rack_id"] for each in service.admin.get("/api/racks/").json()}
    assert staff.get("/api/racks/").status_code == 403
