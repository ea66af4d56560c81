"""Saved queries and report templates over HTTP."""

from typing import Any

import httpx
import pytest

from tests.service import Service

SPEC: dict[str, Any] = {
    "collection": "verification_records",
    "calculated": {"good": "verified_qty - damage_qty"},
    "filters": {"verified_qty": {"gt": 10**20}, "floor": {"contains": "$1.00 %"}},
    "group_by": ["floor", {"field": "received_at", "by": "week", "zone": "Asia/Kolkata"}],
    "aggregations": {"good": ["sum", "max"], "item_code": "count_distinct"},
    "having": {"good_sum": {"gt": 0}},
    "sort": {"good_sum": -1},
    "limit": 5,
    "skip": 0,
}


@pytest.fixture
def boss(service: Service) -> httpx.Client:
    return service.person("supervisor")


def save(client: httpx.Client, **fields: Any) -> httpx.Response:
    return client.post("/api/reports/queries", json={"name": "Weekly", "query_spec": SPEC} | fields)


def test_a_query_is_kept_as_it_was_written(boss: httpx.Client) -> None:
    reply = save(boss, description="what was good", tags=["weekly", "good"])
    assert reply.status_code == 200, reply.text
    made = reply.json()
    assert made["query_spec"] == SPEC
    assert (made["name"], made["description"], made["tags"]) == ("Weekly", "what was good", ["weekly", "good"])
    assert made["created_by"] == boss.get("/api/auth/me").json()["username"]
    assert boss.get(f"/api/reports/queries/{made['query_id']}").json() == made
    assert boss.get("/api/reports/queries", params={"created_by": made["created_by"]}).json() == [made]
    assert made in boss.get("/api/reports/queries", params={"tags": "other,good"}).json()
    assert made not in boss.get("/api/reports/queries", params={"tags": "other"}).json()
    rows = boss.post("/api/reports/query/preview", json=made["query_spec"])
    assert (rows.status_code, rows.json()["rows"]) == (200, [])


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"collection": "users"}, "There is no collection 'users'"),
        ({"filters": {"nope": 1}}, "'nope' in filters is not a field of verification_records"),
        ({"calculated": {"good": "nope + 1"}}, "'nope' in the calculated field 'good' is not a field"),
        ({"calculated": {"good": "__import__('os')"}}, "The calculated field 'good' cannot be read"),
        ({"having": {"nope": 1}}, "'nope' in having is not a field of the result"),
        ({"group_by": [{"field": "received_at", "by": "day", "zone": "Nowhere"}]}, "'Nowhere' in group_by"),
        ({"limit": 10**9}, "limit 1000000000 is above 10000"),
    ],
)
def test_what_cannot_be_asked_is_not_kept(boss: httpx.Client, change: dict[str, Any], culprit: str) -> None:
    reply = save(boss, query_spec=SPEC | change)
    assert (reply.status_code, culprit in reply.json()["detail"]) == (400, True), reply.text
    me = boss.get("/api/auth/me").json()["username"]
    assert boss.get("/api/reports/queries", params={"created_by": me}).json() == []


def test_only_its_maker_and_admins_delete_it(service: Service, boss: httpx.Client) -> None:
    first, second = (save(boss).json()["query_id"] for _ in range(2))
    refused = service.person("supervisor").delete(f"/api/reports/queries/{first}")
    assert refused.status_code == 403
    assert "its maker or an admin may delete it" in refused.json()["detail"]
    assert service.person("auditor").get(f"/api/reports/queries/{first}").status_code == 200
    assert boss.delete(f"/api/reports/queries/{first}").json() == {"query_id": first, "success": True}
    assert service.admin.delete(f"/api/reports/queries/{second}").status_code == 200
    gone = boss.get(f"/api/reports/queries/{first}")
    assert (gone.status_code, gone.json()["detail"]) == (
        404,
        f"There is no saved query {first}. GET /api/reports/queries lists all.",
    )
    assert boss.delete(f"/api/reports/queries/{first}").status_code == 404


def test_templates_can_be_asked_as_they_are(boss: httpx.Client) -> None:
    found = boss.get("/api/reports/templates").json()
    assert [template["name"] for template in found] == [
        *("items_by_floor", "rack_summary", "session_performance", "daily_verification"),
        *("variance_by_category", "damage_trend", "serial_usage", "counter_productivity"),
    ]
    for template in found:
        saved = save(boss, name=template["title"], query_spec=template["query_spec"])
        assert (saved.status_code, saved.json()["query_spec"]) == (200, template["query_spec"])
