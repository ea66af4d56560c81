"""Heartbeats: whose rack stays, who gets it back, and who is at work (invariants 10 and 12)."""

import httpx
from redis import Redis

from stockverify.vocabulary import rack_lock_key, session_lock_key
from tests.service import Service, claim, record, sync


def test_losing_redis_does_not_rewind_the_fence(service: Service, leases: "Redis") -> None:
    first_person, rack = service.person(), service.rack()
    first = claim(first_person, rack)
    leases.delete(rack_lock_key(rack))
    second_person = service.person()
    second = claim(second_person, rack)
    assert second["fence"] == first["fence"] + 1
    beat = first_person.post(f"/api/sessions/{first['session_id']}/heartbeat").json()
    assert (beat["rack_lock_renewed"], beat["lock_ttl_remaining"]) == (False, 0)
    assert leases.get(rack_lock_key(rack)) == second["session_id"]
    answer = sync(first_person, record(first, f"{rack}-stale"))
    assert [conflict["conflict_type"] for conflict in answer["conflicts"]] == ["rack_locked"]
    assert sync(second_person, record(second, f"{rack}-fresh"))["ok"] == [f"{rack}-fresh"]


def test_a_silent_holder_takes_a_free_rack_back_with_its_next_heartbeat(service: Service, leases: "Redis") -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    leases.delete(rack_lock_key(rack))
    beat = staff.post(f"/api/sessions/{grant['session_id']}/heartbeat").json()
    assert beat["rack_lock_renewed"] is True
    assert leases.get(rack_lock_key(rack)) == grant["session_id"]


def test_a_device_cut_off_for_too_long_is_told_when_it_cannot_have_its_rack_back(
    service: Service, leases: "Redis"
) -> None:
    ann, bob, rack = service.person(), service.person(), service.rack()
    grant = claim(ann, rack)
    leases.delete(rack_lock_key(rack))  # what the end of the TTL does
    assert claim(bob, rack)["fence"] == 2
    beat = ann.post(f"/api/sessions/{grant['session_id']}/heartbeat").json()
    assert (beat["rack_lock_renewed"], beat["lock_ttl_remaining"]) == (False, 0)
    assert "somebody else has claimed it since" in beat["message"]
    late = sync(ann, record(grant, f"{rack}-late"))
    assert [conflict["conflict_type"] for conflict in late["conflicts"]] == ["rack_locked"]


def test_a_restarted_device_gets_its_session_and_its_lock_back(service: Service, leases: "Redis") -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    assert sync(staff, record(grant, f"{rack}-1"))["ok"] == [f"{rack}-1"]
    for lost in (lambda: None, lambda: leases.delete(rack_lock_key(rack)), lambda: pause(staff, rack)):
        lost()
        again = claim(staff, rack)
        assert (again["session_id"], again["fence"]) == (grant["session_id"], grant["fence"])
        assert leases.get(rack_lock_key(rack)) == grant["session_id"]
    session = staff.get(f"/api/sessions/{grant['session_id']}").json()
    assert (session["status"], session["verified_count"]) == ("active", 1)


def pause(person: httpx.Client, rack: str) -> None:
    person.post(f"/api/racks/{rack}/pause").raise_for_status()


def test_whoever_has_just_claimed_a_rack_is_present(service: Service) -> None:
    staff = service.person()
    claim(staff, service.rack())
    (row,) = staff.get("/api/sessions/presence").json()
    assert (row["present"], row["last_heartbeat"]) == (True, None)


def test_presence_tells_who_is_at_work_and_who_fell_silent(service: Service, leases: "Redis") -> None:
    ann, bob = service.person(device="phone-a"), service.person()
    sessions = {}
    for person in (ann, bob):
        grant = claim(person, service.rack())
        person.post(f"/api/sessions/{grant['session_id']}/heartbeat").raise_for_status()
        sessions[person] = grant["session_id"]
    leases.delete(session_lock_key(sessions[bob]))  # what HEARTBEAT_TTL does
    rows = {row["session_id"]: row for row in service.person("supervisor").get("/api/sessions/presence").json()}
    assert rows[sessions[ann]]["present"] is True
    assert rows[sessions[ann]]["device_id"] == "phone-a"
    assert rows[sessions[ann]]["last_heartbeat"] is not None
    assert rows[sessions[bob]]["present"] is False
    assert [row["session_id"] for row in ann.get("/api/sessions/presence").json()] == [sessions[ann]]


def test_a_heartbeat_replaces_the_ttl_and_never_adds_to_it(service: Service, leases: "Redis") -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    for _ in range(5):
        staff.post(f"/api/sessions/{grant['session_id']}/heartbeat").raise_for_status()
    assert leases.pttl(rack_lock_key(rack)) <= 60_000


def test_heartbeats_of_others_and_of_unknown_sessions(service: Service) -> None:
    grant = claim(service.person(), service.rack())
    assert service.person().post(f"/api/sessions/{grant['session_id']}/heartbeat").status_code == 403
    assert service.person().post("/api/sessions/nobody/heartbeat").status_code == 404
