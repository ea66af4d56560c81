"""Silent racks are given back, with the real service beside: late work is accepted, and who comes back wins."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from redis import Redis

from analytics.extract import Abandoned
from analytics.lake import Lake
from jobs.stale.leases import Leases
from jobs.stale.store import CameBack, StaleStore
from jobs.tools import Done, Tools
from jobs.work.stale_sweep import sweep_stale
from stockverify.clients import Document, open_blocking_redis
from tests.service import Service, claim, record, sync

Stored = Database[Document]
Sweep = Callable[..., Done]


@pytest.fixture
def redis(service: Service) -> Iterator["Redis"]:
    with closing(open_blocking_redis(service.settings.redis_address() or "")) as client:
        yield client


@pytest.fixture(autouse=True)
def nothing_left(stored: Stored) -> Iterator[None]:
    """What a test leaves silent is none of the next one's business."""
    yield
    now = datetime.now(UTC)
    old = {"$lt": now - timedelta(hours=8)}
    stored["rack_registry"].update_many({"updated_at": old}, {"$set": {"updated_at": now}})
    stored["verification_sessions"].update_many({"started_at": old}, {"$set": {"last_heartbeat": now}})


@pytest.fixture
def run_id(service: Service) -> str:
    return f"sch-stale-sweep@{service.rack()}"


@pytest.fixture
def sweep(service: Service, stored: Stored, tmp_path: Path, run_id: str) -> Sweep:
    """Sweeps once; the outbox is the test's own."""

    def run(stopping: bool = False, **changes: Any) -> Done:
        settings = msgspec.structs.replace(service.settings, data_dir=tmp_path, **changes)
        tools = Tools(stored, Lake(tmp_path / "lake"), settings, lambda: stopping)
        return sweep_stale(tools, {"_id": run_id}, datetime.now(UTC))

    return run


def silence(stored: Stored, redis: "Redis", grant: dict[str, Any], hours: float = 9) -> None:
    """As if nothing had been heard of a grant for hours."""
    then = datetime.now(UTC) - timedelta(hours=hours)
    beat = {"started_at": then, "last_heartbeat": then}
    stored["verification_sessions"].update_one({"_id": grant["session_id"]}, {"$set": beat})
    stored["rack_registry"].update_one({"_id": grant["rack_id"]}, {"$set": {"updated_at": then}})
    stored["verification_records"].update_many({"session_id": grant["session_id"]}, {"$set": {"received_at": then}})
    redis.delete(f"rack:lock:{grant['rack_id']}", f"session:lock:{grant['session_id']}")


NOW_THERE = ReadConcern("local")
"""A heartbeat does not wait for a majority, and a read of what a majority has would not see it yet."""


def rack_of(stored: Stored, grant: dict[str, Any]) -> Document:
    return stored.get_collection("rack_registry", read_concern=NOW_THERE).find_one({"_id": grant["rack_id"]}) or {}


def session_of(stored: Stored, grant: dict[str, Any]) -> Document:
    sessions = stored.get_collection("verification_sessions", read_concern=NOW_THERE)
    return sessions.find_one({"_id": grant["session_id"]}) or {}


def test_a_silent_rack_is_given_back_and_late_work_is_still_accepted(
    service: Service, stored: Stored, redis: "Redis", sweep: Sweep, run_id: str
) -> None:
    ann, bob = service.person(device="d-1"), service.person(device="d-2")
    grant = claim(ann, service.rack())
    sync(ann, record(grant, f"{grant['rack_id']}-1"))
    silence(stored, redis, grant)
    assert sweep() == Done(result={"racks": 1, "sessions": 0}, note="")
    rack = rack_of(stored, grant)
    assert (rack["status"], rack["claimed_by"], rack["session_id"]) == ("available", None, None)
    assert rack["fence"] == grant["fence"]
    session = session_of(stored, grant)
    assert session["status"] == "closed"
    assert session["completed_at"] == rack["updated_at"]
    assert redis.get(f"rack:lock:{grant['rack_id']}") is None
    late = sync(ann, record(grant, f"{grant['rack_id']}-2", "ITEM-2"))
    assert (len(late["ok"]), late["conflicts"]) == (1, [])
    beat = ann.post(f"/api/sessions/{grant['session_id']}/heartbeat").json()
    assert not beat["rack_lock_renewed"]
    second = claim(bob, grant["rack_id"])
    assert second["fence"] == grant["fence"] + 1
    later = sync(ann, record(grant, f"{grant['rack_id']}-3", "ITEM-3"))
    assert [each["conflict_type"] for each in later["conflicts"]] == ["rack_locked"]
    (entry,) = stored["activity_logs"].find({"details.run_id": run_id})
    assert (entry["action"], entry["subject"], entry["username"]) == ("rack.swept", grant["rack_id"], "worker")
    assert entry["details"]["session_id"] == grant["session_id"]


def test_the_admins_are_told_once_per_sweep(
    service: Service, stored: Stored, redis: "Redis", sweep: Sweep, run_id: str
) -> None:
    grant = claim(service.person(), service.rack())
    silence(stored, redis, grant)
    sweep()
    sweep()  # taken over after a kill between the end of the work and that of the run
    notices = list(stored["report_deliveries"].find({"_id": {"$regex": run_id}}))
    admins = stored["users"].count_documents({"role": "admin", "is_active": True})
    assert len(notices) == admins >= 1
    assert notices[0]["kind"] == "notice"
    before = stored["report_deliveries"].count_documents({})
    assert sweep().result == {"racks": 1, "sessions": 0}
    assert stored["report_deliveries"].count_documents({}) == before


@pytest.mark.parametrize("sign", ["heartbeat", "record", "rack lease", "presence", "claimed just now", "a break"])
def test_whoever_gives_a_sign_of_life_keeps_the_rack(
    service: Service, stored: Stored, redis: "Redis", sweep: Sweep, sign: str
) -> None:
    ann = service.person(device="d-1")
    grant = claim(ann, service.rack())
    sync(ann, record(grant, f"{grant['rack_id']}-1"))
    silence(stored, redis, grant, hours=2 if sign == "a break" else 9)
    if sign == "heartbeat":
        stored["verification_sessions"].update_one(
            {"_id": grant["session_id"]}, {"$set": {"last_heartbeat": datetime.now(UTC)}}
        )
    elif sign == "record":
        sync(ann, record(grant, f"{grant['rack_id']}-2", "ITEM-2"))
    elif sign == "rack lease":
        redis.set(f"rack:lock:{grant['rack_id']}", grant["session_id"], ex=60)
    elif sign == "presence":
        redis.set(f"session:lock:{grant['session_id']}", grant["rack_id"], ex=60)
    elif sign == "claimed just now":
        stored["rack_registry"].update_one({"_id": grant["rack_id"]}, {"$set": {"updated_at": datetime.now(UTC)}})
    before = rack_of(stored, grant)
    sweep()
    assert rack_of(stored, grant) == before
    assert session_of(stored, grant)["status"] == "active"


def test_sessions_without_a_rack_are_ended_and_their_late_work_is_accepted(
    service: Service, stored: Stored, redis: "Redis", sweep: Sweep
) -> None:
    ann = service.person(device="d-1")
    opened = ann.post("/api/sessions/", json={"warehouse": "W"}).json()
    grant = {"session_id": opened["id"], "rack_id": None, "floor": None}
    silence(stored, redis, grant)
    sweep()
    assert session_of(stored, grant)["status"] == "closed"
    late = sync(ann, record(grant, f"{opened['id']}-1"))
    assert (len(late["ok"]), late["conflicts"]) == (1, [])


@pytest.mark.parametrize("moment", ["a heartbeat", "a record", "a break", "a claim"])
def test_who_comes_back_at_that_very_moment_wins(
    service: Service, stored: Stored, redis: "Redis", moment: str, run_id: str
) -> None:
    """What was read is written to before the sweep writes."""
    ann, bob = service.person(device="d-1"), service.person(device="d-2")
    grant = claim(ann, service.rack())
    sync(ann, record(grant, f"{grant['rack_id']}-0"))
    silence(stored, redis, grant)
    store, now = StaleStore(stored), datetime.now(UTC)
    rack, session = rack_of(stored, grant), session_of(stored, grant)
    if moment == "a heartbeat":
        assert ann.post(f"/api/sessions/{grant['session_id']}/heartbeat").json()["rack_lock_renewed"]
    elif moment == "a record":
        sync(ann, record(grant, f"{grant['rack_id']}-1", "ITEM-2"))
    elif moment == "a break":
        ann.post(f"/api/racks/{grant['rack_id']}/pause").raise_for_status()
    else:
        claim(bob, grant["rack_id"])
    seen = rack_of(stored, grant), session_of(stored, grant)
    with pytest.raises(CameBack):
        store.release(rack, session, "silent", run_id, now)
    assert (rack_of(stored, grant), session_of(stored, grant)) == seen
    assert stored["activity_logs"].count_documents({"details.run_id": run_id}) == 0


def test_while_the_rack_is_given_back_nobody_is_told_that_it_is_theirs(
    service: Service, stored: Stored, redis: "Redis", run_id: str
) -> None:
    """Claiming again renews only the lease, which MongoDB does not see; so the sweep holds it meanwhile."""
    ann = service.person(device="d-1")
    grant = claim(ann, service.rack())
    silence(stored, redis, grant)
    leases = Leases(redis, f"sweep {run_id}")
    assert leases.take(grant["rack_id"])
    again = ann.post(f"/api/racks/{grant['rack_id']}/claim", json={"floor": "Ground"})
    assert again.status_code == 409
    leases.give_back(grant["rack_id"])
    assert claim(ann, grant["rack_id"])["session_id"] == grant["session_id"]
    assert not leases.take(grant["rack_id"])
    leases.give_back(grant["rack_id"])
    assert redis.get(f"rack:lock:{grant['rack_id']}") == grant["session_id"]


@pytest.mark.parametrize("address", ["redis://127.0.0.1:1/0", None])
def test_without_redis_nothing_is_done_and_it_is_said(
    service: Service, stored: Stored, redis: "Redis", sweep: Sweep, address: str | None
) -> None:
    grant = claim(service.person(), service.rack())
    silence(stored, redis, grant)
    done = sweep(redis_url=address)
    assert done.result == {"racks": 0, "sessions": 0}
    assert done.note.startswith("Redis does not answer")
    assert rack_of(stored, grant)["status"] == "claimed"


def test_racks_that_are_claimed_by_nobody_are_given_back(
    service: Service, stored: Stored, redis: "Redis", sweep: Sweep
) -> None:
    """As a restored backup leaves them: the fence has risen, the session is of an earlier claim."""
    grant = claim(service.person(), service.rack())
    silence(stored, redis, grant)
    stored["rack_registry"].update_one({"_id": grant["rack_id"]}, {"$inc": {"fence": 1_000_000}})
    assert sweep().result == {"racks": 1, "sessions": 1}
    rack = rack_of(stored, grant)
    assert (rack["status"], rack["fence"]) == ("available", grant["fence"] + 1_000_000)
    assert session_of(stored, grant)["status"] == "closed"


def test_a_worker_that_is_to_stop_gives_up(service: Service, stored: Stored, redis: "Redis", sweep: Sweep) -> None:
    grant = claim(service.person(), service.rack())
    silence(stored, redis, grant)
    with pytest.raises(Abandoned):
        sweep(stopping=True)
    assert rack_of(stored, grant)["status"] == "claimed"


def test_a_sweep_that_was_killed_before_it_told_is_told_by_the_worker_that_takes_it_over(
    service: Service, stored: Stored, redis: "Redis", sweep: Sweep, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = claim(service.person(), service.rack())
    silence(stored, redis, grant)

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("jobs.work.stale_sweep.tell_admins", dies)
        with pytest.raises(KeyboardInterrupt):
            sweep()
    assert stored["report_deliveries"].count_documents({"_id": {"$regex": run_id}}) == 0
    assert sweep().result == {"racks": 1, "sessions": 0}
    assert stored["report_deliveries"].count_documents({"_id": {"$regex": run_id}}) >= 1


def test_each_question_is_served_by_an_index(stored: Stored) -> None:
    old = datetime.now(UTC)
    for name, wanted in (
        ("rack_registry", {"floor": {"$gte": ""}, "status": {"$in": ["claimed"]}, "updated_at": {"$lt": old}}),
        ("verification_sessions", {"status": {"$in": ["open", "active"]}, "started_at": {"$lt": old}}),
        ("activity_logs", {"action": {"$in": ["rack.swept"]}, "details.run_id": "r"}),
        ("verification_records", {"session_id": "s"}),
        ("users", {"role": "admin", "is_active": True}),
    ):
        plan = stored[name].find(wanted).explain()["queryPlanner"]["winningPlan"]
        assert "COLLSCAN" not in str(plan), name
