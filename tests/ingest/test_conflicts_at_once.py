"""Supervisors and devices at the same moment: one outcome, and the books hold."""

from collections import Counter
from typing import Any

import httpx
import pytest

from tests.ingest.crowd import at_once, statuses
from tests.ingest.settling import SCENES, Stored, accepted, broken, kept_aside, of_racks, resolve, settled
from tests.service import Service, claim, record, sync

WAYS: list[tuple[str, dict[str, Any]]] = [
    ("accept_server", {}),
    ("accept_local", {}),
    ("ignore", {}),
    ("merge", {"merged_data": {"verified_qty": 9}}),
]


@pytest.fixture(scope="module")
def supervisors(service: Service) -> list[httpx.Client]:
    """Eight of them."""
    return [service.person("supervisor") for _ in range(8)]


@pytest.mark.parametrize("kind", ["concurrent_edit", "rack_locked", "duplicate_serial"])
@pytest.mark.parametrize("turn", range(3))
def test_of_eight_supervisors_one_wins_and_the_others_learn_the_outcome(
    service: Service, stored: Stored, supervisors: list[httpx.Client], kind: str, turn: int
) -> None:
    scene = SCENES[kind](service)

    def settle(place: int) -> httpx.Response:
        way, more = WAYS[(place + turn) % 4]
        return resolve(supervisors[place], scene.conflict_id, way, **more)

    replies = at_once(8, settle)
    assert statuses(replies) == {200: 2, 409: 6}, "the winner, and the one who wanted the same"
    won, same = (reply.json()["data"] for reply in replies if reply.status_code == 200)
    assert won == same
    for reply in replies:
        if reply.status_code == 409:
            outcome = reply.json()["conflict"]
            assert outcome == {name: won[name] for name in outcome}
    assert stored.activity_logs.count_documents({"subject": scene.conflict_id}) == 1
    assert broken(stored, scene.racks) == []


def test_batches_at_once_settle_each_conflict_once(
    service: Service, stored: Stored, supervisors: list[httpx.Client]
) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    staff.post(f"/api/racks/{rack}/release")
    claim(service.person(), rack)
    late = sync(staff, *(record(grant, f"{rack}-{n}", f"ITEM-{n}") for n in range(30)))["conflicts"]
    asked = [each["details"]["conflict_id"] for each in late]

    def settle(place: int) -> httpx.Response:
        order = asked if place % 2 else asked[::-1]
        way = "accept_local" if place < 2 else "ignore"
        body = {"conflict_ids": order, "resolution": way}
        return supervisors[place].post("/api/sync/conflicts/batch-resolve", json=body)

    replies = [reply.json()["data"] for reply in at_once(4, settle)]
    conflicts = {row["_id"]: row["resolution"] for row in stored.sync_conflicts.find({"_id": {"$in": asked}})}
    for place, data in enumerate(replies):
        mine = "accept_local" if place < 2 else "ignore"
        assert sorted(data["resolved"]) == sorted(id_ for id_, way in conflicts.items() if way == mine)
        assert len(data["resolved"]) + len(data["errors"]) == 30
    assert len(of_racks(stored, [rack])) == Counter(conflicts.values())["accept_local"]
    assert stored.activity_logs.count_documents({"subject": {"$in": asked}}) == 30


@pytest.mark.parametrize("turn", range(6))
def test_a_line_counted_while_its_conflict_is_settled_is_counted_once(
    service: Service, stored: Stored, supervisors: list[httpx.Client], turn: int
) -> None:
    first, second, rack = service.person(), service.person(), service.rack()
    grant = claim(first, rack)
    first.post(f"/api/racks/{rack}/release")
    new = claim(second, rack)
    late = [record(grant, f"{rack}-a{n}", f"ITEM-{n}", verified_qty=6) for n in range(5)]
    asked = [kept_aside(first, each, "rack_locked") for each in late]
    mine = [record(new, f"{rack}-b{n}", f"ITEM-{n}", verified_qty=7) for n in range(5)]

    def work(place: int) -> httpx.Response:
        if place < 5:
            return resolve(supervisors[place], asked[place], "accept_local")
        client, sent = (second, mine) if place < 8 else (first, late)
        return client.post("/api/sync/batch", json={"records": sent[turn % 2 : 4 + turn % 2], "batch_id": "b"})

    replies = at_once(10, work)
    assert statuses(replies) == {200: 10}
    assert broken(stored, [rack]) == []
    rows = of_racks(stored, [rack])
    assert {row["item_code"] for row in rows.values()} == {f"ITEM-{n}" for n in range(5)}
    for n in range(5):
        quantities = {row["verified_qty"] for row in rows.values() if row["item_code"] == f"ITEM-{n}"}
        assert quantities == {6.0}, "what the supervisor decided stands, whoever came first"
    for client, sent in ((first, late), (second, mine)):
        answer = sync(client, *sent)
        assert len(answer["ok"]) + len(answer["conflicts"]) == 5
    assert broken(stored, [rack]) == []


@pytest.mark.parametrize("turn", range(4))
def test_a_serial_number_synced_while_it_is_settled_has_one_owner(
    service: Service, stored: Stored, supervisors: list[httpx.Client], turn: int
) -> None:
    people, racks = [service.person() for _ in range(4)], [service.rack() for _ in range(5)]
    serial = f"{racks[0]}-s"
    wrong = record(claim(people[0], racks[0]), f"{racks[0]}-1", damage_qty=11, serial_numbers=[serial])
    conflict_id = kept_aside(people[0], wrong, "invalid_quantity")

    def work(place: int) -> httpx.Response:
        if place == 3 - turn:
            return resolve(supervisors[0], conflict_id, "merge", merged_data={"damage_qty": 0})
        sent = record(grants[place], f"{racks[place + 1]}-1", serial_numbers=[serial])
        return people[place].post("/api/sync/batch", json={"records": [sent]})

    grants = [claim(person, rack) for person, rack in zip(people, racks[1:], strict=True)]
    replies = at_once(4, work)
    assert set(statuses(replies)) <= {200, 409}
    assert stored.verification_records.count_documents({"serial_numbers": serial}) == 1
    assert broken(stored, racks) == []


@pytest.mark.parametrize("turn", range(8))
def test_neither_a_settlement_nor_an_update_on_its_way_is_lost(
    service: Service, stored: Stored, supervisors: list[httpx.Client], turn: int
) -> None:
    scene = SCENES["duplicate_serial"](service)
    rack = scene.racks[0]
    owner, mine = scene.deliveries[0]
    newer = mine | {"verified_qty": 12, "updated_at": "2026-01-06T08:00:00Z"}

    def work(place: int) -> httpx.Response:
        if place == turn % 2:
            return resolve(supervisors[0], scene.conflict_id, "accept_local")
        return owner.post("/api/sync/batch", json={"records": [newer]})

    assert statuses(at_once(2, work)) == {200: 2}
    row = of_racks(stored, [rack])[f"{rack}-1"]
    assert (row["serial_numbers"], row["settled"]["conflict_id"]) == ([f"{rack}-a"], scene.conflict_id)
    kept = list(stored.sync_conflicts.find({"client_record_id": f"{rack}-1"}))
    history = [(each["verified_qty"], len(each["serial_numbers"])) for each in stored.record_history.find(of(row))]
    if kept:
        assert (row["verified_qty"], kept[0]["conflict_type"], history) == (10, "stale_revision", [(10, 2)])
    else:
        assert (row["verified_qty"], sorted(history)) == (12, [(10, 2), (12, 2)])
    assert broken(stored, scene.racks) == []


def of(row: dict[str, Any]) -> dict[str, Any]:
    """The query for the versions of a record."""
    return {"client_record_id": row["_id"]}


def test_a_device_goes_on_with_a_rack_whose_conflict_was_settled(
    service: Service, supervisors: list[httpx.Client]
) -> None:
    scene = SCENES["rack_locked"](service)
    settled(supervisors[0], scene.conflict_id, "accept_local")
    second, other = scene.deliveries[0]
    accepted(second, other | {"client_record_id": f"{scene.racks[0]}-9", "item_code": "ITEM-9"})
