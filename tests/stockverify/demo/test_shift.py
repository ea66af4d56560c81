"""The late shift: racks that are held while somebody looks around."""

import threading

import pytest

from stockverify.demo import shift
from stockverify.demo.office import Person
from stockverify.demo.shift import RACKS, SILENT, Shift
from stockverify.vocabulary import Role
from tests.service import PASSWORD, Service


def test_racks_are_held_one_paused_and_one_silent_in_the_end(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [service.person().get("/api/auth/me").json()["username"] for _ in RACKS]
    late = Shift(service.url)
    late.begin([Person(name, name, Role.STAFF, PASSWORD) for name in names])
    states = {rack: service.admin.get(f"/api/racks/{rack}/status").json()["status"] for rack in RACKS}
    assert states == {"RETURNS-1": "claimed", "RETURNS-2": "paused", "RETURNS-3": "claimed"}

    def heard() -> dict[str, tuple[float, int]]:
        people = service.admin.get("/api/sessions/presence").json()
        return {each["rack_id"]: (each["last_heartbeat"], each["queue_length"]) for each in people}

    before = heard()
    assert before[SILENT][1] == 14
    stop = threading.Event()
    monkeypatch.setattr(shift, "BEAT", 0.01)
    threading.Timer(0.3, stop.set).start()
    late.keep(stop)
    after = heard()
    assert after[SILENT] == before[SILENT]
    assert after["RETURNS-1"][0] > before["RETURNS-1"][0]
