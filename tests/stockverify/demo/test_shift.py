"""The late shift: racks that are held while somebody looks around."""

import threading

import pytest

from stockverify.demo import shift
from stockverify.demo.office import Person
from stockverify.demo.shelves import Line, Reading
from stockverify.demo.shift import POSTS, Shift
from stockverify.vocabulary import Role
from tests.service import PASSWORD, Service


def readings(rack_id: str) -> list[Reading]:
    return [Reading(Line("Late", rack_id, f"A{n}", f"I-{n}", "EA", "Tools", 1.0, 5.0), 5.0, 0.0) for n in range(20)]


def test_one_falls_silent_one_counts_on_and_one_takes_a_break(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [service.person().get("/api/auth/me").json()["username"] for _ in range(POSTS)]
    people = [Person(name, name, Role.STAFF, PASSWORD) for name in names]
    silent, busy, resting = racks = [service.rack("LATE") for _ in range(POSTS)]
    late, left = Shift(service.url), {rack: readings(rack) for rack in racks}
    late.fall_silent(people[0], left)
    late.begin(people[1:], left)
    states = {rack: service.admin.get(f"/api/racks/{rack}/status").json()["status"] for rack in racks}
    assert states == {silent: "active", busy: "active", resting: "paused"}

    def heard() -> dict[str, dict[str, object]]:
        return {each["rack_id"]: each for each in service.admin.get("/api/sessions/presence").json()}

    def verified() -> dict[str, int]:
        found = service.admin.get("/api/sessions/active").json()
        return {each["rack_id"]: each["verified_count"] for each in found if each["rack_id"] in racks}

    before = heard()
    assert (before[silent]["queue_length"], before[busy]["queue_length"]) == (14, 0)
    assert verified() == {silent: 3, busy: 3, resting: 3}
    stop = threading.Event()
    monkeypatch.setattr(shift, "BEAT", 0.01)
    monkeypatch.setattr(shift, "EVERY", 2)
    threading.Timer(0.5, stop.set).start()
    late.keep(stop)
    after = heard()
    assert after[silent]["last_heartbeat"] == before[silent]["last_heartbeat"]
    assert after[busy]["last_heartbeat"] > before[busy]["last_heartbeat"]  # type: ignore[operator]
    found = verified()
    assert (found[silent], found[resting]) == (3, 3)
    assert found[busy] > 3
