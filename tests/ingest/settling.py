"""Scenes that end in a conflict, for tests that settle it, and what must be true of the database afterwards."""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
from pymongo.database import Database

from tests.service import Service, claim, record, sync

Stored = Database[dict[str, Any]]
COLLECTIONS = ("verification_records", "record_history", "item_serials", "sync_conflicts", "activity_logs")


class Scene(NamedTuple):
    """A conflict with all that was delivered before, by whom, and the racks that it is about."""

    conflict_id: str
    deliveries: list[tuple[httpx.Client, dict[str, Any]]]
    racks: list[str]

    @property
    def local(self) -> dict[str, Any]:
        """The record that was kept aside."""
        return self.deliveries[-1][1]


def kept_aside(staff: httpx.Client, sent: dict[str, Any], kind: str) -> str:
    """Send a record that becomes a conflict of this type; the id of the conflict."""
    (conflict,) = sync(staff, sent)["conflicts"]
    assert conflict["conflict_type"] == kind
    conflict_id: str = conflict["details"]["conflict_id"]
    return conflict_id


def accepted(staff: httpx.Client, sent: dict[str, Any]) -> None:
    """Send a record that is accepted."""
    assert sync(staff, sent)["ok"] == [sent["client_record_id"]]


def concurrent_edit(service: Service) -> Scene:
    """Two sessions count one item in one bin."""
    first, second, rack = service.person(), service.person(), service.rack()
    mine = record(claim(first, rack), f"{rack}-1", bin="3", serial_numbers=[f"{rack}-old"])
    accepted(first, mine)
    first.post(f"/api/racks/{rack}/release")
    theirs = record(claim(second, rack), f"{rack}-2", bin="3", verified_qty=8, serial_numbers=[f"{rack}-new"])
    return Scene(kept_aside(second, theirs, "concurrent_edit"), [(first, mine), (second, theirs)], [rack])


def rack_locked(service: Service) -> Scene:
    """A counter sends late what nobody else has counted since."""
    first, second, rack = service.person(), service.person(), service.rack()
    late = record(claim(first, rack), f"{rack}-1", verified_qty=6, serial_numbers=[f"{rack}-s"])
    first.post(f"/api/racks/{rack}/release")
    other = record(claim(second, rack), f"{rack}-2", "ITEM-2")
    accepted(second, other)
    return Scene(kept_aside(first, late, "rack_locked"), [(second, other), (first, late)], [rack])


def rack_locked_and_counted(service: Service) -> Scene:
    """A counter sends late what somebody else has counted since."""
    first, second, rack = service.person(), service.person(), service.rack()
    late = record(claim(first, rack), f"{rack}-1", verified_qty=6)
    first.post(f"/api/racks/{rack}/release")
    other = record(claim(second, rack), f"{rack}-2", verified_qty=7, serial_numbers=[f"{rack}-s"])
    accepted(second, other)
    return Scene(kept_aside(first, late, "rack_locked"), [(second, other), (first, late)], [rack])


def stale_revision(service: Service) -> Scene:
    """Another counter sends a record under an id that is in use, on another rack."""
    first, second, rack, other = service.person(), service.person(), service.rack(), service.rack()
    mine = record(claim(first, rack), f"{rack}-1", serial_numbers=[f"{rack}-a", f"{rack}-b"])
    accepted(first, mine)
    serials = [f"{rack}-b", f"{rack}-c"]
    theirs = record(claim(second, other), f"{rack}-1", verified_qty=4, serial_numbers=serials)
    return Scene(kept_aside(second, theirs, "stale_revision"), [(first, mine), (second, theirs)], [rack, other])


def duplicate_serial(service: Service) -> Scene:
    """One serial number on two racks."""
    first, second, rack, other = service.person(), service.person(), service.rack(), service.rack()
    mine = record(claim(first, rack), f"{rack}-1", serial_numbers=[f"{rack}-a", f"{rack}-b"])
    accepted(first, mine)
    theirs = record(claim(second, other), f"{other}-1", verified_qty=4, serial_numbers=[f"{rack}-b"])
    return Scene(kept_aside(second, theirs, "duplicate_serial"), [(first, mine), (second, theirs)], [rack, other])


def invalid_quantity(service: Service) -> Scene:
    """More damaged than counted."""
    staff, rack = service.person(), service.rack()
    wrong = record(claim(staff, rack), f"{rack}-1", damage_qty=11, serial_numbers=[f"{rack}-s"])
    return Scene(kept_aside(staff, wrong, "invalid_quantity"), [(staff, wrong)], [rack])


def unknown_session(service: Service) -> Scene:
    """A session that nobody knows, on a rack that is known."""
    staff, rack = service.person(), service.rack()
    lost = record(claim(staff, rack), f"{rack}-1", session_id=f"s-of-{rack}", revision=3)
    return Scene(kept_aside(staff, lost, "invalid_data"), [(staff, lost)], [rack])


def foreign_session(service: Service) -> Scene:
    """The device went on in the session of the person before."""
    owner, staff, rack = service.person(), service.person(), service.rack()
    grant = claim(owner, rack)
    mine, theirs = record(grant, f"{rack}-1"), record(grant, f"{rack}-2", verified_qty=2)
    accepted(owner, mine)
    return Scene(kept_aside(staff, theirs, "invalid_data"), [(owner, mine), (staff, theirs)], [rack])


SCENES: dict[str, Callable[[Service], Scene]] = {
    scene.__name__: scene
    for scene in (
        concurrent_edit,
        rack_locked,
        rack_locked_and_counted,
        stale_revision,
        duplicate_serial,
        invalid_quantity,
        unknown_session,
        foreign_session,
    )
}


def resolve(client: httpx.Client, conflict_id: str, resolution: str, **more: Any) -> httpx.Response:
    """Settle a conflict."""
    return client.post(f"/api/sync/conflicts/{conflict_id}/resolve", json={"resolution": resolution, **more})


def settled(client: httpx.Client, conflict_id: str, resolution: str, **more: Any) -> dict[str, Any]:
    """Settle a conflict that can be settled; the conflict."""
    reply = resolve(client, conflict_id, resolution, **more)
    assert reply.status_code == 200, reply.text
    conflict: dict[str, Any] = reply.json()["data"]
    return conflict


def contents(stored: Stored) -> dict[str, list[dict[str, Any]]]:
    """Everything that settling may change. The audit log without its seals, which come a moment later."""
    seals = {"sequence": 0, "previous": 0, "hash": 0}
    return {
        name: list(stored[name].find({}, seals if name == "activity_logs" else None).sort("_id", 1))
        for name in COLLECTIONS
    }


def of_racks(stored: Stored, racks: list[str]) -> dict[str, dict[str, Any]]:
    """The accepted records of some racks by id, and those without a rack whose ids begin with the name of one."""
    strays = [{"rack_id": None, "_id": {"$regex": f"^{rack}-"}} for rack in racks]
    found = stored.verification_records.find({"$or": [{"rack_id": {"$in": racks}}, *strays]})
    return {row["_id"]: row for row in found}


def broken(stored: Stored, racks: list[str]) -> list[str]:
    """What is wrong with the accepted records of some racks; an empty list is what every test wants."""
    records = list(of_racks(stored, racks).values())
    wrong = [row["_id"] for row in records if not 0 <= row["damage_qty"] <= (row["verified_qty"] or 0)]
    listed = Counter(serial for row in records for serial in row["serial_numbers"])
    claimed = {
        row["_id"]: row["client_record_id"]
        for row in stored.item_serials.find({"client_record_id": {"$in": [row["_id"] for row in records]}})
    }
    owners = {serial: row["_id"] for row in records for serial in row["serial_numbers"]}
    counted: dict[Any, set[str]] = {}
    for row in records:
        if row["rack_id"] and row["verified_qty"] is not None:
            line = (row["rack_id"], row["round"], row["item_code"], row["bin"])
            counted.setdefault(line, set()).add(row["session_id"])
    return [
        *(f"{name}: damage and verified quantity" for name in wrong),
        *(f"{serial} is listed {times} times" for serial, times in listed.items() if times > 1),
        *([f"claims {claimed} are not {owners}"] if claimed != owners else []),
        *(f"{line} is counted by {sessions}" for line, sessions in counted.items() if len(sessions) > 1),
    ]
