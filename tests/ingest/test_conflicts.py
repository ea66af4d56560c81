"""The conflict calls over HTTP: lists, one, figures, settling once and again, and many at a time."""

from typing import Any

import httpx
import pytest

from tests.ingest.live import listening
from tests.ingest.settling import SCENES, Scene, Stored, contents, kept_aside, of_racks, resolve, settled
from tests.service import Service, claim, record, sync

CONFLICTS = "/api/sync/conflicts"


@pytest.fixture(scope="module")
def supervisor(service: Service) -> httpx.Client:
    """Somebody who settles."""
    return service.person("supervisor")


def name_of(client: httpx.Client) -> str:
    name: str = client.get("/api/auth/me").json()["username"]
    return name


def listed(client: httpx.Client, **filters: Any) -> dict[str, Any]:
    reply = client.get(CONFLICTS, params=filters)
    assert reply.status_code == 200, reply.text
    assert reply.json()["success"] is True
    data: dict[str, Any] = reply.json()["data"]
    return data


def ids(client: httpx.Client, **filters: Any) -> list[str]:
    return [each["id"] for each in listed(client, **filters)["conflicts"]]


def wrong_ones(service: Service, count: int) -> tuple[httpx.Client, dict[str, Any], list[str]]:
    """A counter, the grant, and conflicts of a batch each."""
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    wrong = [record(grant, f"{rack}-{n}", f"ITEM-{n}", damage_qty=11) for n in range(count)]
    return staff, grant, [kept_aside(staff, each, "invalid_quantity") for each in wrong]


def test_one_conflict_has_the_shape_of_the_contract(service: Service, supervisor: httpx.Client) -> None:
    scene = SCENES["concurrent_edit"](service)
    (rack,) = scene.racks
    reply = supervisor.get(f"{CONFLICTS}/{scene.conflict_id}")
    conflict = reply.json()["data"]
    local, server = conflict.pop("local_data"), conflict.pop("server_data")
    assert conflict.pop("created_at").endswith("Z")
    assert conflict == {
        "id": scene.conflict_id,
        "entity_type": "verification_record",
        "entity_id": f"{rack}-2",
        "conflict_type": "concurrent_edit",
        "message": f"Item ITEM-1 in bin 3 of rack {rack} was counted in this round by session "
        f"{scene.deliveries[0][1]['session_id']} already.",
        "client_record_id": f"{rack}-2",
        "session_id": scene.local["session_id"],
        "user": name_of(scene.deliveries[1][0]),
        "conflicts": [
            {"field": "verified_qty", "local_value": 8.0, "server_value": 10.0},
            {"field": "serial_numbers", "local_value": [f"{rack}-new"], "server_value": [f"{rack}-old"]},
        ],
        "status": "pending",
        "resolution": None,
        "resolution_note": None,
        "merged_data": None,
        "resolved_by": None,
        "resolved_at": None,
        "history": [],
    }
    assert {name: local[name] for name in scene.local} == scene.local
    assert (server["client_record_id"], server["verified_qty"], "digest" in server) == (f"{rack}-1", 10.0, False)


def test_a_serial_number_that_stands_against_a_record_is_named(service: Service, supervisor: httpx.Client) -> None:
    scene = SCENES["duplicate_serial"](service)
    server = supervisor.get(f"{CONFLICTS}/{scene.conflict_id}").json()["data"]["server_data"]
    rack = scene.racks[0]
    told = {"serial_number": f"{rack}-b", "client_record_id": f"{rack}-1", "item_code": "ITEM-1"}
    assert server == told | {"rack_id": rack, "round": 1}


def test_the_history_of_the_record_comes_newest_first(service: Service, supervisor: httpx.Client) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    for revision in range(1, 25):
        sync(staff, record(grant, f"{rack}-1", verified_qty=revision, revision=revision))
    wrong = record(grant, f"{rack}-1", damage_qty=99, revision=30)
    conflict_id = kept_aside(staff, wrong, "invalid_quantity")
    settled(supervisor, conflict_id, "merge", merged_data={"damage_qty": 0})
    again = kept_aside(staff, wrong | {"verified_qty": 50, "damage_qty": 1, "revision": 31}, "stale_revision")
    settled(supervisor, again, "accept_local")
    conflict = supervisor.get(f"{CONFLICTS}/{again}").json()["data"]
    assert [each["verified_qty"] for each in conflict["history"]] == [10, *range(24, 5, -1)]
    assert conflict["history"][0]["settled"]["conflict_id"] == conflict_id
    assert not any("digest" in each or "_id" in each for each in conflict["history"])


def test_lists_are_newest_first_and_filtered_and_count_all_that_match(
    service: Service, supervisor: httpx.Client
) -> None:
    staff, grant, made = wrong_ones(service, 3)
    name, session = name_of(staff), grant["session_id"]
    settled(supervisor, made[1], "ignore")
    assert ids(supervisor, user=name) == made[::-1]
    assert ids(supervisor, session_id=session) == made[::-1]
    assert ids(supervisor, session_id=session, status="pending") == [made[2], made[0]]
    assert ids(supervisor, session_id=session, status="resolved") == [made[1]]
    assert ids(supervisor, session_id=session, entity_type="verification_record") == made[::-1]
    assert ids(supervisor, session_id=session, entity_type="verification_session") == []
    assert ids(supervisor, session_id=session, conflict_type="rack_locked, invalid_quantity,") == made[::-1]
    assert ids(supervisor, session_id=session, conflict_type="rack_locked") == []
    page = listed(supervisor, user=name, limit=2)
    assert ([each["id"] for each in page["conflicts"]], page["total"]) == (made[:0:-1], 3)
    assert supervisor.get(CONFLICTS, params={"limit": 0}).status_code == 400
    assert supervisor.get(CONFLICTS, params={"limit": 501}).status_code == 400
    assert supervisor.get(CONFLICTS, params={"status": "lost"}).status_code == 400
    unknown = supervisor.get(CONFLICTS, params={"conflict_type": "rack_locked,theft"})
    assert (unknown.status_code, "'theft'; use one or more of: duplicate_serial," in unknown.json()["detail"]) == (
        400,
        True,
    )


@pytest.mark.parametrize("value", ['{"$ne":1}', '{"$gt":""}', "$where", "[$ne]=x", "' || 1"])
@pytest.mark.parametrize("field", ["user", "session_id", "entity_type"])
def test_operators_as_values_match_nothing(service: Service, supervisor: httpx.Client, field: str, value: str) -> None:
    wrong_ones(service, 1)
    assert listed(supervisor, **{field: value}) == {"conflicts": [], "total": 0}


@pytest.mark.parametrize("name", ["user[$ne]", "user[]", "status[$gt]", "$where"])
def test_operators_as_names_are_refused_instead_of_ignored(supervisor: httpx.Client, name: str) -> None:
    reply = supervisor.get(CONFLICTS, params={name: "x"})
    assert reply.status_code == 400
    assert repr(name) in reply.json()["detail"]


def test_operators_in_what_was_sent_and_merged_are_data(
    service: Service, stored: Stored, supervisor: httpx.Client
) -> None:
    staff, rack = service.person(), service.rack()
    wrong = record(claim(staff, rack), f"{rack}-1", "$where", damage_qty=11, serial_numbers=["$ne"], bin="$gt.x")
    conflict_id = kept_aside(staff, wrong, "invalid_quantity")
    merged = {"damage_qty": 0, "uom": "{$set: 1}", "category": "$damage_qty", "mfg_date": "$$ROOT"}
    settled(supervisor, conflict_id, "merge", merged_data=merged)
    row = of_racks(stored, [rack])[f"{rack}-1"]
    assert (row["item_code"], row["serial_numbers"], row["bin"]) == ("$where", ["$ne"], "$gt.x")
    assert (row["uom"], row["category"], row["mfg_date"]) == ("{$set: 1}", "$damage_qty", "$$ROOT")
    reply = resolve(supervisor, conflict_id, "merge", merged_data={"$set": {"status": "pending"}})
    assert (reply.status_code, "$set" in reply.json()["detail"]) == (400, True)


def test_staff_see_only_their_own(service: Service, supervisor: httpx.Client) -> None:
    staff, _, made = wrong_ones(service, 2)
    other = service.person()
    assert ids(staff) == made[::-1]
    assert staff.get(f"{CONFLICTS}/{made[0]}").status_code == 200
    assert listed(other) == {"conflicts": [], "total": 0}
    assert listed(other, user=name_of(staff)) == {"conflicts": [], "total": 0}
    reply = other.get(f"{CONFLICTS}/{made[0]}")
    assert (reply.status_code, reply.headers["content-type"]) == (403, "application/problem+json")
    assert service.person("auditor").get(f"{CONFLICTS}/{made[0]}").status_code == 200
    assert staff.get(f"{CONFLICTS}/stats").json()["data"] == {
        "pending": 2,
        "resolved": 0,
        "by_type": dict.fromkeys(
            ("duplicate_serial", "invalid_data", "rack_locked", "stale_revision", "concurrent_edit"), 0
        )
        | {"invalid_quantity": 2},
    }
    missing = supervisor.get(f"{CONFLICTS}/nothing")
    assert missing.json()["detail"] == "Conflict nothing is not known; GET /api/sync/conflicts lists them."


@pytest.mark.parametrize("role", ["staff", "auditor"])
def test_only_supervisors_and_admins_settle(service: Service, role: str) -> None:
    staff, _, (conflict_id,) = wrong_ones(service, 1)
    person = staff if role == "staff" else service.person(role)
    assert resolve(person, conflict_id, "ignore").status_code == 403
    body = {"conflict_ids": [conflict_id], "resolution": "ignore"}
    assert person.post(f"{CONFLICTS}/batch-resolve", json=body).status_code == 403
    assert settled(service.admin, conflict_id, "ignore")["resolved_by"] == "admin"


def test_figures_count_pending_resolved_and_all_by_type(service: Service, supervisor: httpx.Client) -> None:
    def figures() -> dict[str, Any]:
        data: dict[str, Any] = supervisor.get(f"{CONFLICTS}/stats").json()["data"]
        return data

    before = figures()
    _, _, made = wrong_ones(service, 2)
    settled(supervisor, made[0], "ignore")
    after = figures()
    assert after["pending"] - before["pending"] == 1
    assert after["resolved"] - before["resolved"] == 1
    assert after["by_type"]["invalid_quantity"] - before["by_type"]["invalid_quantity"] == 2
    assert sum(after["by_type"].values()) == after["pending"] + after["resolved"]


@pytest.mark.parametrize(
    ("resolution", "more"),
    [("accept_server", {}), ("ignore", {}), ("accept_local", {}), ("merge", {"merged_data": {"verified_qty": 9}})],
)
def test_the_same_again_changes_nothing_and_another_outcome_is_refused_with_the_one_there_is(
    service: Service, stored: Stored, supervisor: httpx.Client, resolution: str, more: dict[str, Any]
) -> None:
    scene = SCENES["concurrent_edit"](service)
    first = settled(supervisor, scene.conflict_id, resolution, resolution_note="mine", **more)
    after = contents(stored)
    assert settled(service.admin, scene.conflict_id, resolution, resolution_note="other", **more) == first
    others = [
        ("ignore" if resolution != "ignore" else "accept_server", {}),
        ("merge", {"merged_data": {"verified_qty": 7}}),
    ]
    for other, data in others:
        reply = resolve(service.admin, scene.conflict_id, other, **data)
        assert (reply.status_code, reply.headers["content-type"]) == (409, "application/problem+json")
        names = ("id", "status", "resolution", "resolution_note", "resolved_by", "resolved_at")
        assert reply.json()["conflict"] == {name: first[name] for name in names}
        assert f"as {resolution} by {first['resolved_by']} at {first['resolved_at'][:10]}" in reply.json()["detail"]
    assert contents(stored) == after


BAD_MERGES: list[tuple[Any, str]] = [
    ({}, "merged_data is missing or empty"),
    (None, "merged_data is missing or empty"),
    ({"qty": 1, "verified_qty": 5, "_id": "x"}, "merged_data has fields that no record has: _id, qty."),
    ({"client_record_id": "other"}, "client_record_id 'other' is not that of the conflict"),
    ({"client_record_id": None}, "client_record_id 'None' is not that of the conflict"),
    ({"verified_qty": -1}, "verified_qty is negative (-1)"),
    ({"damage_qty": -2}, "damage_qty is negative (-2)"),
    ({"verified_qty": 1, "damage_qty": 2}, "damage_qty (2) is more than verified_qty (1)"),
    ({"verified_qty": None}, "a finalized record needs verified_qty"),
    (
        {"verified_qty": None, "status": "partial", "damage_qty": 1},
        "damage_qty (1) is more than verified_qty (nothing)",
    ),
    ({"serial_numbers": ["a", "b", "a"]}, "serial_numbers has a twice"),
    ({"item_code": ""}, "$.item_code"),
    ({"item_code": {"$gt": ""}}, "$.item_code"),
    ({"verified_qty": "9"}, "$.verified_qty"),
    ({"verified_qty": 1e13}, "$.verified_qty"),
    ({"created_at": "yesterday"}, "$.created_at"),
    ({"created_at": "0001-01-01T00:00:00+14:00"}, "created_at is no possible time"),
    ({"status": "done"}, "$.status"),
    ({"mrp": 10**400}, "$.mrp"),
]


@pytest.mark.parametrize(("merged", "said"), BAD_MERGES, ids=[said for _, said in BAD_MERGES])
def test_a_merge_that_breaks_a_rule_is_refused_by_field(
    service: Service, stored: Stored, supervisor: httpx.Client, merged: Any, said: str
) -> None:
    _, _, (conflict_id,) = wrong_ones(service, 1)
    before = contents(stored)
    body = {"damage_qty": 0} | merged if merged and "damage_qty" not in merged and "_id" not in merged else merged
    reply = resolve(supervisor, conflict_id, "merge", merged_data=body)
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")
    assert said in reply.json()["detail"]
    assert contents(stored) == before


def test_a_merge_may_send_the_whole_record_back(service: Service, stored: Stored, supervisor: httpx.Client) -> None:
    staff, rack = service.person(), service.rack()
    wrong = record(claim(staff, rack), f"{rack}-1", damage_qty=11, barcode="(01)04012345000016(10)L7")
    conflict_id = kept_aside(staff, wrong, "invalid_quantity")
    local = supervisor.get(f"{CONFLICTS}/{conflict_id}").json()["data"]["local_data"]
    assert "gs1" in local, "the service adds it"
    settled(supervisor, conflict_id, "merge", merged_data=local | {"damage_qty": 1})
    row = of_racks(stored, [rack])[f"{rack}-1"]
    assert (row["damage_qty"], row["verified_qty"], row["gs1"]) == (1, 10, local["gs1"])
    reply = resolve(supervisor, conflict_id, "merge", merged_data=local | {"damage_qty": 1, "gs1": {"lot": "x"}})
    assert (reply.status_code, "gs1" in reply.json()["detail"]) == (400, True)


def test_a_merge_may_name_the_id_that_it_must_not_change(service: Service, supervisor: httpx.Client) -> None:
    _, grant, (conflict_id,) = wrong_ones(service, 1)
    merged = {"client_record_id": f"{grant['rack_id']}-0", "damage_qty": 0}
    assert settled(supervisor, conflict_id, "merge", merged_data=merged)["status"] == "resolved"


@pytest.mark.parametrize(
    "body",
    [{}, {"resolution": "delete"}, {"resolution": {"$ne": 1}}, {"resolution": "merge", "merged_data": [1]}],
    ids=str,
)
def test_a_body_that_says_no_resolution_is_refused(
    service: Service, supervisor: httpx.Client, body: dict[str, Any]
) -> None:
    _, _, (conflict_id,) = wrong_ones(service, 1)
    reply = supervisor.post(f"{CONFLICTS}/{conflict_id}/resolve", json=body)
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")


def test_a_batch_settles_each_by_itself(service: Service, stored: Stored, supervisor: httpx.Client) -> None:
    wrong = wrong_ones(service, 1)[2][0]
    late, edit, done = (SCENES[kind](service) for kind in ("rack_locked", "concurrent_edit", "stale_revision"))
    settled(supervisor, done.conflict_id, "ignore")
    asked = [wrong, late.conflict_id, "nothing", edit.conflict_id, done.conflict_id, late.conflict_id]
    body = {"conflict_ids": asked, "resolution": "accept_local", "resolution_note": "all of them"}
    data = supervisor.post(f"{CONFLICTS}/batch-resolve", json=body).json()["data"]
    assert data["resolved"] == [late.conflict_id, edit.conflict_id]
    assert [error["id"] for error in data["errors"]] == [wrong, "nothing", done.conflict_id]
    said = [error["error"] for error in data["errors"]]
    assert "damage_qty (11) is more than verified_qty (10)" in said[0]
    assert said[1] == "Conflict nothing is not known; GET /api/sync/conflicts lists them."
    assert "was settled before, as ignore" in said[2]
    rack = edit.racks[0]
    assert {id_: row["verified_qty"] for id_, row in of_racks(stored, [rack]).items()} == {f"{rack}-1": 8}
    after = contents(stored)
    again = supervisor.post(f"{CONFLICTS}/batch-resolve", json=body).json()["data"]
    assert (again, contents(stored)) == (data, after)


def test_batches_are_bounded_and_do_not_merge(service: Service, supervisor: httpx.Client) -> None:
    bodies: list[tuple[dict[str, Any], str]] = [
        ({"conflict_ids": [], "resolution": "ignore"}, "conflict_ids"),
        ({"conflict_ids": ["x"] * 501, "resolution": "ignore"}, "conflict_ids"),
        ({"conflict_ids": ["x"], "resolution": "merge"}, "merge needs the merged_data of each conflict"),
    ]
    for body, said in bodies:
        reply = supervisor.post(f"{CONFLICTS}/batch-resolve", json=body)
        assert (reply.status_code, said in reply.json()["detail"]) == (400, True), reply.text


def test_a_batch_of_five_hundred_is_settled(service: Service, stored: Stored, supervisor: httpx.Client) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    staff.post(f"/api/racks/{rack}/release")
    claim(service.person(), rack)
    late = sync(staff, *(record(grant, f"{rack}-{n}", f"ITEM-{n}") for n in range(500)))["conflicts"]
    asked = [each["details"]["conflict_id"] for each in late]
    body = {"conflict_ids": asked, "resolution": "accept_local"}
    reply = supervisor.post(f"{CONFLICTS}/batch-resolve", json=body)
    assert reply.json()["data"] == {"resolved": asked, "errors": []}
    assert stored.verification_records.count_documents({"rack_id": rack, "verified_qty": 10}) == 500


def test_a_session_that_was_kept_aside_is_settled_without_becoming_current(
    service: Service, supervisor: httpx.Client
) -> None:
    owner, staff, rack = service.person(), service.person(), service.rack()
    session_id = claim(owner, rack)["session_id"]
    operation = {"id": f"{rack}-o", "type": "session", "data": {"session_id": session_id, "warehouse": "W"}}
    (told,) = staff.post("/api/sync/batch", json={"operations": [operation]}).json()["conflicts"]
    conflict_id = told["details"]["conflict_id"]
    assert supervisor.get(f"{CONFLICTS}/{conflict_id}").json()["data"]["entity_type"] == "verification_session"
    for resolution in ("accept_local", "merge"):
        reply = resolve(supervisor, conflict_id, resolution, merged_data={"floor": "x"})
        assert (reply.status_code, "cannot be accepted" in reply.json()["detail"]) == (400, True)
    assert settled(supervisor, conflict_id, "accept_server")["status"] == "resolved"


def test_settling_is_told_to_those_who_listen(service: Service, supervisor: httpx.Client) -> None:
    scene: Scene = SCENES["concurrent_edit"](service)
    with listening(service, supervisor) as one, listening(service, scene.deliveries[1][0]) as author:
        conflict = settled(supervisor, scene.conflict_id, "accept_local")
        told = {name: conflict[name] for name in ("client_record_id", "session_id", "conflict_type", "resolved_by")}
        message = one.until("conflict.resolved", conflict_id=scene.conflict_id)
        assert message["data"].items() >= (told | {"resolution": "accept_local"}).items()
        channels = {message["channel"], one.until("conflict.resolved", conflict_id=scene.conflict_id)["channel"]}
        assert channels == {"global:notifications", f"session:updates:{conflict['session_id']}"}
        author.until("conflict.resolved", conflict_id=scene.conflict_id)
