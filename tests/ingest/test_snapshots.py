"""Report snapshots over HTTP: kept in the lake, pinned, refreshed, deleted; and those from before they were kept."""

import shutil
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ingest.test_reports import Stored, boss, counted, freeze, worker
from tests.service import Service

__all__ = ["boss", "counted", "worker"]  # fixtures


@pytest.fixture
def report(boss: httpx.Client, counted: tuple[str, str]) -> dict[str, Any]:
    """A report of the lines of one rack."""
    spec = {"collection": "positions", "filters": {"rack_id": counted[0]}}
    made = boss.post("/api/reports/snapshots", json={"name": "of a rack", "query_spec": spec, "tags": ["t"]})
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json()
    return answer


def folder(service: Service, report: dict[str, Any]) -> Path:
    return Path(service.settings.lake) / "reports" / report["snapshot_id"]


def page(boss: httpx.Client, report: dict[str, Any]) -> dict[str, Any]:
    answer = boss.get(f"/api/reports/snapshots/{report['snapshot_id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_its_rows_lie_in_the_lake_and_need_no_freeze(
    service: Service, boss: httpx.Client, report: dict[str, Any]
) -> None:
    assert {path.name for path in folder(service, report).iterdir()} == {"manifest.json", "part-00000.parquet"}
    before = page(boss, report)
    assert (before["row_count"], len(before["rows"])) == (2, 2)
    freeze_folder = Path(service.settings.lake) / "positions" / report["freeze_id"]
    away = freeze_folder.with_name(f".gone-{report['freeze_id']}")
    assert freeze_folder.rename(away).is_dir()
    answer = boss.get(f"/api/reports/snapshots/{report['snapshot_id']}/export", params={"format": "json"})
    seen = boss.get(f"/api/reports/snapshots/{report['snapshot_id']}")
    pair = {"snapshot_a_id": report["snapshot_id"], "snapshot_b_id": report["snapshot_id"]}
    compared = boss.post("/api/reports/compare", json=pair)
    away.rename(freeze_folder)
    assert (seen.status_code, seen.json()) == (200, before)
    assert compared.json()["comparison_result"]["row_diff"]["unchanged_count"] == 2
    assert (answer.status_code, len(answer.json()["rows"])) == (200, 2)


def test_one_from_before_is_computed_once_from_its_freeze(
    service: Service, boss: httpx.Client, stored: Stored, report: dict[str, Any]
) -> None:
    before = page(boss, report)
    shutil.rmtree(folder(service, report))
    change: dict[str, Any] = {"$unset": {"stored": "", "refreshed_from": ""}}
    stored.report_snapshots.update_one({"_id": report["snapshot_id"]}, change)
    assert page(boss, report) == before
    written = (folder(service, report) / "manifest.json").stat().st_mtime_ns
    assert page(boss, report) == before
    assert (folder(service, report) / "manifest.json").stat().st_mtime_ns == written


def test_refreshing_says_where_it_comes_from(boss: httpx.Client, report: dict[str, Any]) -> None:
    again = boss.post(f"/api/reports/snapshots/{report['snapshot_id']}/refresh").json()
    assert (again["refreshed_from"], report["refreshed_from"]) == (report["snapshot_id"], None)
    assert again["freeze_id"] != report["freeze_id"]
    assert boss.get(f"/api/reports/snapshots/{again['freeze_id']}").json()["name"] == f"For {report['name']}"
    assert again["query_spec"] == report["query_spec"]


def test_lineage_says_where_it_comes_from_and_what_refers_to_it(boss: httpx.Client, report: dict[str, Any]) -> None:
    path = f"/api/reports/snapshots/{report['snapshot_id']}"
    again = boss.post(f"{path}/refresh").json()
    pair = {"snapshot_a_id": report["snapshot_id"], "snapshot_b_id": again["snapshot_id"], "comparison_name": "both"}
    job = boss.post("/api/reports/compare", json=pair).raise_for_status().json()
    found = boss.get(f"{path}/lineage").raise_for_status().json()
    assert {use["kind"]: (use["id"], use["name"]) for use in found.pop("uses")} == {
        "refreshed": (again["snapshot_id"], "of a rack"),
        "comparison": (job["job_id"], "both"),
    }
    assert found == {
        "snapshot_id": report["snapshot_id"],
        "freeze_id": report["freeze_id"],
        "refreshed_from": None,
        "pinned_by": None,
        "pinned_at": None,
        "kept_from_deletion": None,
    }
    assert (
        boss.get(f"/api/reports/snapshots/{again['snapshot_id']}/lineage").json()["refreshed_from"]
        == (report["snapshot_id"])
    )
    freeze_of_it = boss.get(f"/api/reports/snapshots/{report['freeze_id']}/lineage").json()
    assert [use["id"] for use in freeze_of_it["uses"] if use["kind"] == "report"] == [report["snapshot_id"]]
    assert "cannot be deleted" in freeze_of_it["kept_from_deletion"]
    assert boss.get("/api/reports/snapshots/rs-nothing/lineage").status_code == 404


def test_pinning_and_deleting_are_in_the_audit_log_once(
    boss: httpx.Client, stored: Stored, report: dict[str, Any]
) -> None:
    path, name = f"/api/reports/snapshots/{report['snapshot_id']}", boss.get("/api/auth/me").json()["username"]
    for deed in ("pin", "pin"):
        boss.post(f"{path}/{deed}").raise_for_status()
    pinned = boss.get(f"{path}/lineage").json()
    assert (pinned["pinned_by"], "unpin it first" in pinned["kept_from_deletion"]) == (name, True)
    for deed in ("unpin", "unpin"):
        boss.post(f"{path}/{deed}").raise_for_status()
    boss.delete(path).raise_for_status()
    entries = stored.activity_logs.find({"subject": report["snapshot_id"]}).sort("at", 1)
    assert [(each["action"], each["username"]) for each in entries] == [
        ("snapshot.pinned", name),
        ("snapshot.unpinned", name),
        ("snapshot.deleted", name),
    ]


def test_deleting_removes_the_rows_unless_it_is_pinned(
    service: Service, boss: httpx.Client, report: dict[str, Any]
) -> None:
    path = f"/api/reports/snapshots/{report['snapshot_id']}"
    assert boss.post(f"{path}/pin").json() == {"snapshot_id": report["snapshot_id"], "pinned": True, "success": True}
    assert boss.post(f"{path}/pin").status_code == 200
    refused = boss.delete(path)
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        f"Snapshot {report['snapshot_id']} is pinned; unpin it first.",
    )
    assert boss.post(f"{path}/unpin").json()["pinned"] is False
    assert boss.delete(path).json() == {"snapshot_id": report["snapshot_id"], "success": True}
    assert not folder(service, report).exists()
    assert boss.get(path).status_code == 404


def test_a_pinned_freeze_says_so_in_the_list(boss: httpx.Client, stored: Stored, counted: tuple[str, str]) -> None:
    other = freeze(boss)
    assert boss.post(f"/api/reports/snapshots/{other}/pin").status_code == 200
    listed = {each["snapshot_id"]: each for each in boss.get("/api/reports/snapshots", params={"limit": 1000}).json()}
    assert (listed[other]["pinned"], listed[counted[1]]["pinned"]) == (True, False)
    assert (listed[other]["freeze_id"], listed[other]["refreshed_from"]) == (other, None)
    assert [pin["_id"] for pin in stored.report_pins.find({"_id": other})] == [other]
    assert boss.post("/api/reports/snapshots/20200101T000000000Z-00000000/pin").status_code == 404


@pytest.mark.parametrize("role", ["staff", "auditor"])
def test_who_may_pin(service: Service, counted: tuple[str, str], role: str) -> None:
    for deed in ("pin", "unpin"):
        assert service.person(role).post(f"/api/reports/snapshots/{counted[1]}/{deed}").status_code == 403


def test_numbers_beyond_64_bits_stay_what_they_are(boss: httpx.Client, counted: tuple[str, str]) -> None:
    huge = {"book_qty": {"lt": 10**20, "gt": -(2**70)}, "rack_id": counted[0], "verified_qty": {"nin": [2**64]}}
    spec = {"collection": "positions", "filters": huge, "calculated": {"more": f"book_qty + {10**19}"}}
    body = {"name": "huge", "query_spec": spec}
    made = [boss.post("/api/reports/snapshots", json=body).raise_for_status().json() for _ in range(2)]
    first, second = (each["snapshot_id"] for each in made)
    assert made[0]["row_count"] == 2
    assert {name: made[0]["query_spec"][name] for name in spec} == spec
    listed = {each["snapshot_id"]: each for each in boss.get("/api/reports/snapshots").raise_for_status().json()}
    assert listed[first]["query_spec"] == made[0]["query_spec"]
    pair = {"snapshot_a_id": first, "snapshot_b_id": second}
    compared = boss.post("/api/reports/compare", json=pair).raise_for_status().json()
    assert compared["comparison_result"]["row_diff"]["unchanged_count"] == 2
    again = boss.post(f"/api/reports/snapshots/{first}/refresh").raise_for_status().json()
    assert again["query_spec"] == made[0]["query_spec"]
    file = boss.get(f"/api/reports/snapshots/{first}/export", params={"format": "json"}).raise_for_status().json()
    assert (file["row_count"], file["about"]["query"]["filters"]["book_qty"]["lt"]) == (2, 1e20)
    for source in ({"snapshot_id": first}, {"snapshot_id": counted[1], "query_spec": spec}):
        asked = boss.post("/api/reports/exports", json={"format": "csv", **source})
        assert asked.status_code == 202, asked.text
        job = finished(boss, asked.json()["job_id"])
        assert (job["status"], job["rows_done"]) == ("done", 2)


def test_numbers_that_are_none_are_refused_with_a_reason(boss: httpx.Client, counted: tuple[str, str]) -> None:
    bodies = {
        "snapshots": '{"name": "huge", "query_spec": %s}',
        "queries": '{"name": "huge", "query_spec": %s}',
        "query/preview": "%s",
        "exports": f'{{"snapshot_id": "{counted[1]}", "format": "csv", "query_spec": %s}}',
    }
    for number in ("1e400", "9" * 400, "9" * 5000):
        spec = f'{{"collection": "positions", "filters": {{"book_qty": {{"lt": {number}}}}}}}'
        for path, body in bodies.items():
            headers = {"Content-Type": "application/json"}
            reply = boss.post(f"/api/reports/{path}", content=body.replace("%s", spec), headers=headers)
            told = reply.json()["detail"]
            assert (reply.status_code, "book_qty" in told or "out of range" in told) == (400, True), (path, told)


def finished(boss: httpx.Client, job_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        job: dict[str, Any] = boss.get(f"/api/reports/exports/{job_id}").raise_for_status().json()
        if job["status"] in ("done", "failed", "cancelled"):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.1)
