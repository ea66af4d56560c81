"""People who may see the stock of some floors only: every route, asked by somebody who must not learn of the vault."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import msgspec
import polars as pl
import pytest
from pymongo import MongoClient
from pymongo.database import Database
from websockets.exceptions import InvalidStatus

from analytics.extract import materialise
from analytics.lake import Lake
from ingest.access import OPERATIONS, PUBLIC, READS_REPORTS
from ingest.auth.rules import Caller
from ingest.scopes import rules
from ingest.scopes.rules import REACH, DifferentScopes, OutOfReach, Reach
from stockverify.clients import Document, database
from stockverify.services.embedded import Backends
from stockverify.vocabulary import Collection, Role
from tests.analytics.stock import item, record
from tests.ingest.crowd import new_user
from tests.ingest.live import listening
from tests.ingest.test_access import CALLS
from tests.service import PASSWORD, Service, claim, running_service, sync
from tests.service import record as sent

SECRET = "vaulted"
"""Stands in everything that is on the floor `Vault`, and nowhere else."""
GROUND = {"floors": ["Ground"]}


class Shop(NamedTuple):
    """A service over two floors, and those who may see one of them, or both."""

    service: Service
    database: "Database[Document]"
    older: str
    newer: str
    scoped: httpx.Client
    whole: httpx.Client
    ids: dict[str, str]


def person(service: Service, name: str, role: str = "supervisor", **more: Any) -> httpx.Client:
    new_user(service, name, role, **more)
    return service.log_in(name, PASSWORD)


def lines(floor: str, mark: str, book: float) -> list[Document]:
    return [item(f"{mark}-R{n}", f"{mark}-{n}", book, floor=floor, item_name=mark) for n in range(3)]


@pytest.fixture(scope="module")
def shop(
    embedded: Backends, mongo: "MongoClient[Document]", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    settings = msgspec.structs.replace(
        embedded.settings, mongodb_database="scopes", data_dir=tmp_path_factory.mktemp("scopes")
    )
    stored, lake = database(mongo, settings), Lake(settings.lake)
    with running_service(settings) as service:
        stored[Collection.ERP_ITEMS].insert_many([*lines("Ground", "open", 10), *lines("Vault", SECRET, 7)])
        older = materialise(lake, stored, datetime.now(UTC), "older").snapshot_id
        counted(service, "Ground", "open")
        counted(service, "Vault", SECRET)
        stored[Collection.RECORDS].insert_one(record("late", f"{SECRET}-R0", "new", 1.0, floor="Vault"))
        newer = materialise(lake, stored, datetime.now(UTC), "newer").snapshot_id
        whole = person(service, "whole")
        ids = made_by_somebody_who_sees_all(whole, older, newer)
        vault = stored[Collection.CONFLICTS].find_one({"local_data.floor": "Vault"})
        session = stored[Collection.SESSIONS].find_one({"floor": "Vault"})
        assert vault
        assert session
        ids |= {"conflict_id": vault["_id"], "session_id": session["_id"], "rack_id": f"{SECRET}-R0"}
        yield Shop(service, stored, older, newer, person(service, "scoped", **GROUND), whole, ids)


def counted(service: Service, floor: str, mark: str) -> None:
    """Somebody counts a rack, and leaves a conflict behind."""
    counter = person(service, f"{mark}-counter", "staff")
    grant = claim(counter, f"{mark}-R0", floor)
    one = sent(grant, f"{mark}-c1", f"{mark}-0", verified_qty=9, serial_numbers=[f"{mark}-S1"])
    two = sent(grant, f"{mark}-c2", f"{mark}-1", verified_qty=1, damage_qty=5)
    sync(counter, one, two, batch_id=f"{mark}-b1")


def made_by_somebody_who_sees_all(whole: httpx.Client, older: str, newer: str) -> dict[str, str]:
    """A comparison and an export of everything, and a query that names a rack of the vault."""
    compared = ok(whole.post("/api/reports/compare", json={"snapshot_a_id": older, "snapshot_b_id": newer}))
    asked = ok(whole.post("/api/reports/exports", json={"format": "csv", "snapshot_id": newer}))
    return {"job_id": compared["job_id"], "export_id": asked["job_id"]}


def ok(reply: httpx.Response) -> Any:
    assert reply.status_code in (200, 201, 202), reply.text
    return reply.json()


_CLOSED = ("activity.", "flags.", "imports.", "schedules.", "deliveries.", "letters.")


def test_every_route_says_how_it_keeps_to_the_floors() -> None:
    asked = {name for name, roles in OPERATIONS.items() if roles != PUBLIC and roles & READS_REPORTS}
    assert set(REACH) <= asked
    closed = asked - set(REACH)
    only_admins = {name for name in closed if OPERATIONS[name] <= {Role.ADMIN}}
    assert closed - only_admins == {
        "live.updates",
        "reports.runs",
        *(name for name in OPERATIONS if name.startswith(_CLOSED)),
    }


def test_what_is_closed_is_refused_and_says_why(shop: Shop) -> None:
    auditor = person(shop.service, "scoped-auditor", "auditor", **GROUND)
    for operation in CALLS:
        roles = OPERATIONS[operation.name]
        if roles == PUBLIC or operation.name in REACH or Role.AUDITOR not in roles:
            continue
        reply = auditor.request(operation.method, operation.path.replace("{", "").replace("}", ""))
        assert reply.status_code == 403, operation.name
        assert reply.json()["detail"].startswith("You may see these floors only: Ground.")


def test_live_updates_are_closed_to_people_with_a_scope(shop: Shop) -> None:
    with pytest.raises(InvalidStatus) as refused, listening(shop.service, shop.scoped):
        pass
    assert refused.value.response.status_code == 403
    with listening(shop.service, shop.whole):
        pass


def places(shop: Shop) -> Iterator[tuple[str, str, str]]:
    """Each route that people with a scope reach by GET, with ids of what they must not see where it takes some."""
    exports = {**shop.ids, "job_id": shop.ids["export_id"]}
    for operation in CALLS:
        if operation.method == "GET" and operation.name in REACH:
            ids = exports if operation.name.startswith("exports.") else shop.ids
            yield operation.name, operation.path, filled(operation.path, {"snapshot_id": shop.newer, **ids})


def filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace("{" + name + ":str}", value).replace("{" + name + "}", value)
    return path


def test_no_route_tells_of_other_floors(shop: Shop) -> None:
    told = {}
    for name, _, path in places(shop):
        reply = shop.scoped.get(path)
        assert reply.status_code != 500, (name, reply.text)
        told[name] = SECRET in reply.text
    assert {name for name, tells in told.items() if tells} == set()
    seen = {name for name, _, path in places(shop) if SECRET in shop.whole.get(path).text}
    assert seen >= {"racks.list", "racks.status", "sessions.list", "sessions.one", "conflicts.list", "conflicts.one"}
    assert seen >= {"reports.snapshot", "reports.comparison", "reports.comparison_rows"}, "or this test sees nothing"


@pytest.mark.parametrize("name", ["older", "latest"])
def test_questions_are_asked_within_the_floors_on_snapshots(shop: Shop, name: str) -> None:
    spec = {"collection": "positions", "aggregations": {"book_qty": "sum"}, "group_by": ["floor"]}
    snapshot_id = shop.older if name == "older" else name
    found = ok(shop.scoped.post("/api/reports/query/preview", json=spec | {"snapshot_id": snapshot_id}))
    assert [(row["_id"], row["book_qty_sum"]) for row in found["rows"]] == [("Ground", 30.0)]


@pytest.mark.parametrize(
    "filters",
    [{}, {"floor": "Vault"}, {"floor": {"in": ["Vault", "Ground"]}}, {"floor": {"ne": "x"}}, {"floor": {"regex": "V"}}],
)
@pytest.mark.parametrize("collection", ["erp_items", "verification_records", "verification_sessions"])
def test_questions_are_asked_within_the_floors_on_live_data(
    shop: Shop, collection: str, filters: dict[str, Any]
) -> None:
    found = shop.scoped.post("/api/reports/query/preview", json={"collection": collection, "filters": filters})
    assert SECRET not in found.text.replace(json.dumps(filters), "")
    assert {row["floor"] for row in ok(found)["rows"]} <= {"Ground"}
    assert SECRET in shop.whole.post("/api/reports/query/preview", json={"collection": collection}).text


def test_a_calculated_field_or_a_regular_expression_is_no_way_around(shop: Shop) -> None:
    spec = {"collection": "erp_items", "calculated": {"twice": "book_qty * 2"}, "sort": {"twice": -1}}
    assert SECRET not in shop.scoped.post("/api/reports/query/preview", json=spec).text
    spec = {"collection": "erp_items", "filters": {"item_code": {"regex": "."}}, "group_by": ["item_code"]}
    found = shop.scoped.post("/api/reports/query/preview", json=spec)
    assert found.status_code == 200
    assert SECRET not in found.text


def test_pages_counts_and_lists_of_snapshots_agree_within_the_floors(shop: Shop) -> None:
    listed = {each["snapshot_id"]: each["row_count"] for each in ok(shop.scoped.get("/api/reports/snapshots"))}
    page = ok(shop.scoped.get(f"/api/reports/snapshots/{shop.newer}"))
    assert (listed[shop.newer], page["row_count"], len(page["rows"])) == (3, 3, 3)
    whole = ok(shop.whole.get(f"/api/reports/snapshots/{shop.newer}"))
    assert whole["row_count"] == 7


def test_comparisons_are_made_within_the_floors_and_whole_ones_stay_closed(shop: Shop) -> None:
    asked = {"snapshot_a_id": shop.older, "snapshot_b_id": shop.newer}
    mine = ok(shop.scoped.post("/api/reports/compare", json=asked))
    assert SECRET not in json.dumps(mine)
    assert mine["comparison_result"]["row_diff"]["changed_count"] == 1
    for path in ("", "/rows?kind=changed", "/contributions", "/export?format=csv"):
        found = shop.scoped.get(f"/api/reports/compare/{mine['job_id']}{path}")
        assert (found.status_code, SECRET in found.text) == (200, False), path
        refused = shop.scoped.get(f"/api/reports/compare/{shop.ids['job_id']}{path}")
        assert refused.status_code == 403, path
    assert [each["job_id"] for each in ok(shop.scoped.get("/api/reports/compare"))] == [mine["job_id"]]
    again = ok(shop.whole.post("/api/reports/compare", json=asked))
    assert again["comparison_result"]["row_diff"]["added_count"] == 1, "nobody else gets what was made within a scope"
    assert ok(shop.whole.get(f"/api/reports/compare/{mine['job_id']}"))["job_id"] == mine["job_id"]


def finished(client: httpx.Client, asked: dict[str, Any]) -> dict[str, Any]:
    job: dict[str, Any] = ok(client.post("/api/reports/exports", json=asked))
    deadline = time.monotonic() + 60
    while job["status"] not in ("done", "failed"):
        assert time.monotonic() < deadline, job
        time.sleep(0.1)
        job = ok(client.get(f"/api/reports/exports/{job['job_id']}"))
    assert job["status"] == "done", job
    return job


def test_exports_hold_what_is_on_the_floors_and_their_links_only_that(shop: Shop) -> None:
    pair = {"snapshot_a_id": shop.older, "snapshot_b_id": shop.newer}
    query = {"collection": "erp_items", "filters": {"floor": {"in": ["Ground", "Vault"]}}}
    for asked in (
        {"snapshot_id": shop.newer},
        {"snapshot_id": shop.newer, "dataset": "verification_records"},
        {"snapshot_id": "latest", "query_spec": query},
        {"compare": pair},
    ):
        job = finished(shop.scoped, {"format": "csv", **asked})
        content = httpx.get(f"{shop.service.url}{job['download_url']}").raise_for_status().text
        assert SECRET not in content, asked
        assert "open-0" in content, asked
        assert SECRET not in shop.scoped.get(f"/api/reports/exports/{job['job_id']}/manifest").text
    refused = shop.scoped.get(f"/api/reports/exports/{shop.ids['export_id']}")
    assert refused.status_code == 403
    whole = {"format": "csv", "comparison_job_id": shop.ids["job_id"]}
    assert shop.scoped.post("/api/reports/exports", json=whole).status_code == 403
    direct = shop.scoped.get(f"/api/reports/snapshots/{shop.newer}/export?format=parquet")
    assert pl.read_parquet(direct.content)["floor"].unique().to_list() == ["Ground"]


def test_an_auditor_with_a_scope_does_not_see_the_exports_of_others(shop: Shop) -> None:
    auditor = person(shop.service, "export-auditor", "auditor", **GROUND)
    listed = {each["job_id"] for each in ok(auditor.get("/api/reports/exports?limit=1000"))}
    assert shop.ids["export_id"] not in listed
    assert auditor.get(f"/api/reports/exports/{shop.ids['export_id']}/manifest").status_code == 403


def test_supervisors_settle_and_take_back_what_is_on_their_floors_only(shop: Shop) -> None:
    resolve = {"resolution": "accept_server", "resolution_note": "as it stands"}
    assert shop.scoped.post(f"/api/sync/conflicts/{shop.ids['conflict_id']}/resolve", json=resolve).status_code == 403
    for path in ("force-release", "reverify"):
        reply = shop.scoped.post(f"/api/racks/{SECRET}-R0/{path}", json={"reason": "because"})
        assert reply.status_code == 403, path
    mine = ok(shop.scoped.get("/api/sync/conflicts"))["data"]["conflicts"]
    assert [each["local_data"]["floor"] for each in mine] == ["Ground"]
    assert shop.scoped.post(f"/api/sync/conflicts/{mine[0]['id']}/resolve", json=resolve).status_code == 200
    assert shop.scoped.post("/api/racks/open-R0/force-release", json={"reason": "late"}).status_code == 200


def test_another_scope_ends_logins_and_is_in_the_audit_log(shop: Shop) -> None:
    mover = person(shop.service, "mover")
    admin = shop.service.admin
    assert admin.patch("/api/auth/users/mover", json={"floors": ["Vault", "Ground"]}).json()["floors"] == [
        "Ground",
        "Vault",
    ]
    assert mover.get("/api/auth/me").status_code == 401
    again = shop.service.log_in("mover", PASSWORD)
    assert ok(again.get("/api/auth/me"))["floors"] == ["Ground", "Vault"]
    admin.patch("/api/auth/users/mover", json={"floors": ["Vault", "Ground"]}).raise_for_status()
    assert again.get("/api/auth/me").status_code == 200, "the same floors are no change"
    changed = {"action": "user.changed", "subject": "mover"}
    entry = shop.database.activity_logs.find_one(changed, sort=[("at", 1)])
    assert entry
    assert entry["details"] == {"floors_before": [], "floors": ["Ground", "Vault"]}


@pytest.mark.parametrize("role", ["staff", "admin"])
def test_only_those_who_read_reports_and_do_not_manage_have_a_scope(shop: Shop, role: str) -> None:
    body = {"username": f"no-{role}", "password": PASSWORD, "full_name": "N", "role": role, **GROUND}
    refused = shop.service.admin.post("/api/auth/register", json=body)
    assert (refused.status_code, "supervisors and auditors only" in refused.json()["detail"]) == (400, True)
    person(shop.service, f"turns-{role}", **GROUND)
    change = shop.service.admin.patch(f"/api/auth/users/turns-{role}", json={"role": role})
    assert change.status_code == 400, "a role that sees all must not come along with a scope by accident"
    both = {"role": role, "floors": []}
    assert shop.service.admin.patch(f"/api/auth/users/turns-{role}", json=both).status_code == 200


ANN = Caller("u", "ann", Role.SUPERVISOR, "", "", ("A", "B"))


@pytest.mark.parametrize(
    ("documents", "floors"),
    [
        ((), ("A", "B")),
        ((None,), ("A", "B")),
        (({"floors": ["A"]},), ("A",)),
        (({"floors": ["A", "B"]}, None), ("A", "B")),
        (({"floors": ["A"]}, {"floors": ["A"]}), ("A",)),
    ],
)
def test_a_question_is_asked_within_what_it_is_about(documents: Any, floors: tuple[str, ...]) -> None:
    assert rules.within(ANN, *documents) == floors


@pytest.mark.parametrize(
    ("documents", "error"),
    [
        (({},), OutOfReach),
        (({"floors": []},), OutOfReach),
        (({"floors": ["A", "C"]},), OutOfReach),
        (({"floors": ["A"]}, None), DifferentScopes),
        (({"floors": ["A"]}, {"floors": ["B"]}), DifferentScopes),
    ],
)
def test_what_was_made_within_more_is_out_of_reach(documents: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        rules.within(ANN, *documents)


def test_without_a_scope_everything_is_in_reach() -> None:
    free = ANN._replace(floors=())
    assert rules.within(free, {"floors": ["A"]}) == ("A",)
    assert rules.within(free, None, {}) == ()
    rules.check_floor("Z", free)
    rules.check_operation("activity.list", free)
    assert (rules.made_within(free), rules.on_floors(free, "floor")) == ({}, {})
    assert len(set(REACH.values()) | {Reach.CLOSED}) == len(Reach)
