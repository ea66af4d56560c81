"""The reporting calls over HTTP: real MongoDB, real Parquet, a real worker."""

import csv
import hashlib
import io
import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import polars as pl
import pypdf
import pytest
from pymongo.database import Database

from ingest.reports.answers import Made
from ingest.reports.files import download
from stockverify.environment import to_env
from stockverify.services.child import Child, Spec
from tests.service import Service, claim, record, sync

Stored = Database[dict[str, Any]]
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def book_line(rack: str, item: str, quantity: float, cost: float = 2.0) -> dict[str, Any]:
    return {
        "floor": "Reports",
        "rack_id": rack,
        "bin": "",
        "item_code": item,
        "item_name": f"=cmd|' /C calc'!A0 {item}",
        "category": "Tools",
        "uom": "EA",
        "unit_cost": cost,
        "book_qty": quantity,
        "updated_at": NOW,
    }


@pytest.fixture(scope="module")
def worker(service: Service) -> Iterator[Child]:
    """A worker beside the service, on the same data."""
    log = Path(service.settings.data_dir) / "logs" / "worker.log"
    child = Child(Spec("worker", (sys.executable, "-m", "jobs"), log, to_env(service.settings)))
    yield child
    child.stop()


@pytest.fixture
def boss(service: Service, worker: Child) -> httpx.Client:
    """A supervisor of a store with a worker."""
    return service.person("supervisor")


def freeze(boss: httpx.Client) -> str:
    """Ask the worker for a snapshot and wait for it."""
    run = boss.post("/api/reports/runs", json={"kind": "materialise", "name": "of the tests"})
    assert run.status_code == 202, run.text
    for _ in range(1200):
        state = boss.get(f"/api/reports/runs/{run.json()['run_id']}").json()
        if state["status"] in ("succeeded", "failed"):
            assert state["status"] == "succeeded", state
            return str(state["snapshot_id"])
        time.sleep(0.05)
    raise AssertionError(state)


@pytest.fixture
def counted(service: Service, boss: httpx.Client, stored: Stored) -> tuple[str, str]:
    """A rack with two book lines, one of them counted; and the id of a freeze."""
    rack = service.rack("rep")
    stored.erp_items.insert_many([book_line(rack, "00123", 10), book_line(rack, "123456789012345678", 4)])
    staff = service.person()
    grant = claim(staff, rack, "Reports")
    sync(staff, record(grant, f"{rack}-1", "00123", verified_qty=7.5, damage_qty=1))
    return rack, freeze(boss)


def test_a_freeze_is_listed_and_paged_as_a_snapshot_of_type_stock(boss: httpx.Client, counted: tuple[str, str]) -> None:
    rack, snapshot_id = counted
    listed = boss.get("/api/reports/snapshots", params={"snapshot_type": "stock"}).json()
    assert {each["snapshot_id"]: each["name"] for each in listed}[snapshot_id] == "of the tests"
    assert [each["created_at"] for each in listed] == sorted((each["created_at"] for each in listed), reverse=True)
    page = boss.get(f"/api/reports/snapshots/{snapshot_id}", params={"limit": 1, "skip": 0}).json()
    total = page["row_count"]
    assert page["pagination"] == {"skip": 0, "limit": 1, "total": total, "has_more": total > 1}
    rows = boss.get(f"/api/reports/snapshots/{snapshot_id}", params={"limit": 10_000}).json()["rows"]
    mine = {row["item_code"]: row for row in rows if row["rack_id"] == rack}
    assert len(rows) == total
    assert (mine["00123"]["verified_qty"], mine["00123"]["variance_qty"], mine["00123"]["variance_value"]) == (
        7.5,
        -2.5,
        -5,
    )
    assert (mine["123456789012345678"]["verified_qty"], mine["123456789012345678"]["counted"]) == (None, False)


def test_preview_runs_on_live_data_and_shows_its_pipeline(boss: httpx.Client, counted: tuple[str, str]) -> None:
    rack, _ = counted
    spec = {
        "collection": "items",
        "filters": {"rack_id": rack},
        "group_by": ["rack_id"],
        "aggregations": {"book_qty": "sum", "item_code": "count"},
    }
    answer = boss.post("/api/reports/query/preview", json=spec).json()
    assert answer["rows"] == [{"_id": rack, "book_qty_sum": 14.0, "item_code_count": 2}]
    assert (answer["row_count"], answer["collection"], answer["snapshot_id"]) == (1, "items", None)
    assert "$match" in answer["pipeline"][0]


@pytest.mark.parametrize(
    ("spec", "culprit"),
    [
        ({"collection": "users"}, "users"),
        ({"collection": "items", "filters": {"password": 1}}, "password"),
        ({"collection": "items", "filters": {"book_qty": {"$where": "1"}}}, "$where"),
        ({"collection": "items", "aggregations": {"book_qty": "median"}}, "median"),
        ({"collection": "items", "filters": {"book_qty": "many"}}, "book_qty"),
        ({"collection": "items", "limit": 10**9}, "limit"),
    ],
)
def test_a_bad_query_is_400_and_names_the_culprit(boss: httpx.Client, spec: dict[str, Any], culprit: str) -> None:
    reply = boss.post("/api/reports/query/preview", json=spec)
    assert reply.status_code == 400
    assert culprit in reply.json()["detail"]


def test_preview_runs_on_a_snapshot_too(boss: httpx.Client, counted: tuple[str, str]) -> None:
    rack, snapshot_id = counted
    spec = {"collection": "records", "filters": {"rack_id": rack}, "aggregations": {"verified_qty": "sum"}}
    then = boss.post("/api/reports/query/preview", json=spec | {"snapshot_id": snapshot_id}).json()
    live = boss.post("/api/reports/query/preview", json=spec).json()
    assert (then["snapshot_id"], then["pipeline"], live["snapshot_id"]) == (snapshot_id, [], None)
    assert then["rows"] == live["rows"] != []
    newest = boss.post("/api/reports/query/preview", json=spec | {"snapshot_id": "latest"}).json()
    assert newest["snapshot_id"] >= snapshot_id
    for unknown in ("rs-nothing", "20200101T000000000Z-00000000", "../x"):
        reply = boss.post("/api/reports/query/preview", json=spec | {"snapshot_id": unknown})
        assert (reply.status_code, unknown in reply.json()["detail"]) == (404, True), reply.text


def test_a_report_snapshot_keeps_its_rows_while_the_data_goes_on(
    service: Service, boss: httpx.Client, counted: tuple[str, str], stored: Stored
) -> None:
    rack, _ = counted
    spec = {"collection": "items", "filters": {"rack_id": rack}, "sort": {"item_code": 1}}
    made = boss.post("/api/reports/snapshots", json={"name": "My rack", "query_spec": spec, "tags": [rack, "weekly"]})
    assert made.status_code == 201, made.text
    first = made.json()
    assert (first["name"], first["row_count"], first["tags"], first["snapshot_type"]) == (
        "My rack",
        2,
        [rack, "weekly"],
        "custom",
    )
    assert first["summary"]["totals"]["book_qty_sum"] == 14.0
    stored.erp_items.update_one({"rack_id": rack, "item_code": "00123"}, {"$set": {"book_qty": 12.0}})
    kept = boss.get(f"/api/reports/snapshots/{first['snapshot_id']}").json()
    assert [row["book_qty"] for row in kept["rows"]] == [10.0, 4.0]
    second = boss.post(f"/api/reports/snapshots/{first['snapshot_id']}/refresh").json()
    body = {"snapshot_a_id": first["snapshot_id"], "snapshot_b_id": second["snapshot_id"], "comparison_name": "change"}
    job = boss.post("/api/reports/compare", json=body).json()
    result = job["comparison_result"]
    assert result["summary_diff"]["book_qty_sum"] == {
        "baseline": 14.0,
        "comparison": 16.0,
        "absolute_diff": 2.0,
        "percent_diff": 14.2857,
        "trend": "up",
    }
    counts = {
        name: result["row_diff"][name] for name in ("added_count", "removed_count", "changed_count", "unchanged_count")
    }
    assert counts == {"added_count": 0, "removed_count": 0, "changed_count": 1, "unchanged_count": 1}
    assert boss.get(f"/api/reports/compare/{job['job_id']}").json() == job
    assert job["job_id"] in [each["job_id"] for each in boss.get("/api/reports/compare").json()]
    tagged = boss.get("/api/reports/snapshots", params={"tags": f"none,{rack}"}).json()
    assert {each["snapshot_id"] for each in tagged} == {first["snapshot_id"], second["snapshot_id"]}
    other = service.person("supervisor")
    assert other.delete(f"/api/reports/snapshots/{first['snapshot_id']}").status_code == 403
    assert boss.delete(f"/api/reports/snapshots/{first['snapshot_id']}").json()["success"] is True
    assert boss.get(f"/api/reports/snapshots/{first['snapshot_id']}").status_code == 404


def test_exports_agree_in_rows_sums_and_identifiers(boss: httpx.Client, counted: tuple[str, str]) -> None:
    rack, snapshot_id = counted

    def export(kind: str) -> bytes:
        reply = boss.get(f"/api/reports/snapshots/{snapshot_id}/export", params={"format": kind})
        assert reply.status_code == 200, reply.text
        assert f".{kind}" in reply.headers["content-disposition"]
        told = json.loads(reply.headers["x-manifest"])
        hashed = hashlib.sha256(reply.content).hexdigest()
        assert (told["format"], told["sha256"], told["snapshot_id"]) == (kind, hashed, snapshot_id)
        assert told["columns"]["item_code"] == "string"
        return reply.content

    as_csv = list(csv.DictReader(io.StringIO(export("csv").decode("utf-8-sig"))))
    as_json = json.loads(export("json"))["rows"]
    as_lines = [json.loads(line) for line in export("ndjson").splitlines()]
    assert as_lines == as_json
    cover = pypdf.PdfReader(io.BytesIO(export("pdf"))).pages[0].extract_text()  # its table may begin with other racks
    assert snapshot_id in "".join(cover.split())
    as_parquet = pl.read_parquet(io.BytesIO(export("parquet"))).to_dicts()
    with closing(openpyxl.load_workbook(io.BytesIO(export("xlsx")), read_only=True)) as workbook:
        sheet = list(workbook["positions"].iter_rows(values_only=True))
    as_xlsx = [dict(zip(sheet[0], row, strict=True)) for row in sheet[1:]]
    for rows in (as_csv, as_json, as_parquet, as_xlsx):
        mine = [row for row in rows if row["rack_id"] == rack]
        assert sorted(row["item_code"] for row in mine) == ["00123", "123456789012345678"]
        assert sum(float(row["verified_qty"] or 0) for row in mine) == 7.5
        assert len(rows) == len(as_parquet)


def test_what_a_header_has_no_room_for_is_left_out_by_name(tmp_path: Path) -> None:
    told = {"file": "größe.csv\r\nX-Evil: 1", "rows": 1, "query": "q" * 9000, "columns": {"c" * 6000: "string"}}
    (tmp_path / "a.csv.manifest.json").write_text(json.dumps(told))
    line = download(Made(str(tmp_path / "a.csv"), 1, "0" * 64)).headers["X-Manifest"]
    assert line.isascii()
    assert json.loads(line) == {"file": told["file"], "rows": 1, "left_out": ["query", "columns"]}
    assert "X-Manifest" not in download(Made(str(tmp_path / "b.csv"), 1, "0" * 64)).headers


def test_unknown_formats_and_snapshots_are_named(boss: httpx.Client, counted: tuple[str, str]) -> None:
    reply = boss.get(f"/api/reports/snapshots/{counted[1]}/export", params={"format": "docx"})
    assert (reply.status_code, "docx" in reply.json()["detail"]) == (400, True)
    for name in ("nope", "rs-0000", "20200101T000000Z-00000000"):
        assert boss.get(f"/api/reports/snapshots/{name}").status_code == 404
    assert boss.post("/api/reports/runs", json={"kind": "dance"}).status_code == 400
    assert boss.get("/api/reports/runs/nope").status_code == 404
    assert boss.get("/api/reports/compare/nope").status_code == 404


def test_staff_read_no_reports(service: Service, counted: tuple[str, str]) -> None:
    staff = service.person()
    assert staff.get("/api/reports/snapshots").status_code == 403
    assert staff.get(f"/api/reports/snapshots/{counted[1]}").status_code == 403
    auditor = service.person("auditor")
    assert auditor.get("/api/reports/snapshots").status_code == 200
    assert auditor.post("/api/reports/runs", json={}).status_code == 403
