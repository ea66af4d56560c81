"""Comparisons over HTTP: made in the reports process, kept in MongoDB and in the lake, read in pages, explained, and
exported whole."""

import asyncio
import csv
import io
import os
import shutil
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from analytics.extract import materialise
from analytics.lake import Lake
from ingest.auth.rules import Caller
from ingest.comparisons import rules
from ingest.comparisons.rules import LOST, LOST_AFTER
from ingest.comparisons.store import ComparisonStore
from ingest.reports import comparisons
from ingest.reports.answers import Totals
from ingest.reports.errands import CompareBoth, Describe, Question, Report
from ingest.reports.room import open_room
from ingest.snapshots.rules import report_document
from stockverify.clients import Document, async_database, database, open_async_mongo
from stockverify.vocabulary import Role
from stockverify.wire.comparisons import Compare, Limits
from stockverify.wire.reports import CreateSnapshot, QuerySpec
from tests.analytics.lake.frozen import LINE, ONE, freeze
from tests.analytics.lake.frozen import report as frozen_report
from tests.analytics.stock import item, record
from tests.service import Service

Stored = Database[dict[str, Any]]
Freezes = Callable[[], str]
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
LINES = 150
ANN = Caller(user_id="u", username="ann", role=Role.SUPERVISOR, login_id="", device_id="")


@pytest.fixture(scope="module")
def boss(service: Service) -> httpx.Client:
    return service.person("supervisor")


@pytest.fixture(scope="module")
def freezes(service: Service, mongo: "MongoClient[Document]") -> Freezes:
    """Takes a snapshot of the service's data, as the worker does."""
    lake, source = Lake(service.settings.lake), database(mongo, service.settings)
    return lambda: materialise(lake, source, datetime.now(UTC), "of the comparisons").snapshot_id


@pytest.fixture(scope="module")
def pair(service: Service, freezes: Freezes, mongo: "MongoClient[Document]") -> tuple[str, str, str]:
    """A rack and two freezes: of its 152 lines 150 are counted anew, one is gone, one is new."""
    stored, rack = database(mongo, service.settings), service.rack("cmp")
    codes = [f"{number:05}" for number in range(LINES)]
    stored.erp_items.insert_many([item(rack, code, 10) for code in (*codes, "gone", "same")])
    first = freezes()
    stored.erp_items.delete_one({"rack_id": rack, "item_code": "gone"})
    stored.erp_items.insert_one(item(rack, "new", 1))
    stored.verification_records.insert_many(
        [record(f"{rack}-{code}", rack, code, 9.5 if code == "00000" else 8, username="eve") for code in codes]
    )
    return rack, first, freezes()


def compare(boss: httpx.Client, first: str, second: str, **more: Any) -> dict[str, Any]:
    reply = boss.post("/api/reports/compare", json={"snapshot_a_id": first, "snapshot_b_id": second, **more})
    assert reply.status_code == 200, reply.text
    job: dict[str, Any] = reply.json()
    return job


def counts(job: dict[str, Any]) -> tuple[int, ...]:
    rows = job["comparison_result"]["row_diff"]
    return tuple(rows[f"{kind}_count"] for kind in ("added", "removed", "changed", "key_duplicate"))


def test_the_reply_shows_the_first_hundred_and_the_pages_all(boss: httpx.Client, pair: tuple[str, str, str]) -> None:
    rack, first, second = pair
    job = compare(boss, first, second, comparison_name="round 1")
    assert (job["name"], job["status"], job["error"], counts(job)) == ("round 1", "completed", None, (1, 1, LINES, 0))
    assert len(job["comparison_result"]["row_diff"]["changed"]) == 100
    assert boss.get(f"/api/reports/compare/{job['job_id']}").json() == job
    rows: list[dict[str, Any]] = []
    for skip in range(0, LINES, 40):
        page = boss.get(f"/api/reports/compare/{job['job_id']}/rows", params={"skip": skip, "limit": 40}).json()
        assert (page["job_id"], page["kind"]) == (job["job_id"], "changed")
        assert page["pagination"] == {"skip": skip, "limit": 40, "total": LINES, "has_more": skip + 40 < LINES}
        rows += page["rows"]
    assert [row["key"] for row in rows] == [
        {"rack_id": rack, "bin": "", "item_code": f"{number:05}"} for number in range(LINES)
    ]
    assert rows[:100] == job["comparison_result"]["row_diff"]["changed"]
    assert (rows[1]["baseline"]["verified_qty"], rows[1]["comparison"]["verified_qty"]) == (None, 8)
    for kind, code in (("added", "new"), ("removed", "gone")):
        [row] = boss.get(f"/api/reports/compare/{job['job_id']}/rows", params={"kind": kind}).json()["rows"]
        assert row["item_code"] == code
        assert [row] == job["comparison_result"]["row_diff"][kind]


def test_dataset_tolerances_and_ignored_columns(
    boss: httpx.Client, pair: tuple[str, str, str], stored: Stored, freezes: Freezes
) -> None:
    rack, _, second = pair
    stored.verification_records.update_many({"rack_id": rack}, {"$set": {"verified_qty": 8.5}})
    third = freezes()
    wanted = {"tolerances": {"verified_qty": {"absolute": 0.5}}, "dataset": "records"}
    job = compare(boss, second, third, **wanted)
    assert counts(job) == (0, 0, 1, 0)
    told = job["comparison_result"]["metadata"]
    assert (told["dataset"], told["within_tolerance_count"], told["column_within_tolerance"]) == (
        "verification_records",
        LINES - 1,
        {"verified_qty": LINES - 1},
    )
    assert told["tolerances"] == {"verified_qty": {"absolute": 0.5, "relative": None}}
    assert counts(compare(boss, second, third, dataset="records", ignore=["verified_qty"])) == (0, 0, 0, 0)
    stored.verification_records.update_many({"rack_id": rack}, {"$set": {"verified_qty": 8}})


def test_why_a_total_moved(boss: httpx.Client, pair: tuple[str, str, str]) -> None:
    _, first, second = pair
    job = compare(boss, first, second)
    url = f"/api/reports/compare/{job['job_id']}/contributions"
    told = boss.get(url).json()
    assert (told["total"], told["by"], told["change"]) == (
        "net_variance_value",
        "floor",
        job["comparison_result"]["summary_diff"]["net_variance_value"],
    )
    by_item = boss.get(url, params={"by": "item_code", "total": "verified_units", "limit": 2}).json()
    assert [(part["group"], part["change"]) for part in by_item["parts"]] == [("00000", 9.5), ("00001", 8.0)]
    assert by_item["other"] == {"groups": LINES - 2, "change": 8.0 * (LINES - 2)}
    assert by_item["change"]["absolute_diff"] == 9.5 + 8.0 * (LINES - 1)
    refused = boss.get(url, params={"by": "book_qty"})
    assert (refused.status_code, "book_qty" in refused.json()["detail"]) == (400, True)


def test_the_whole_difference_as_a_file(boss: httpx.Client, pair: tuple[str, str, str]) -> None:
    _, first, second = pair
    job = compare(boss, first, second, comparison_name="All of it")
    reply = boss.get(f"/api/reports/compare/{job['job_id']}/export", params={"format": "csv"})
    assert (reply.status_code, reply.headers["x-rows"]) == (200, str(LINES + 2))
    assert "All-of-it.csv" in reply.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig"))))
    assert [row["change"] for row in rows] == ["added", "removed", *["changed"] * LINES]
    unknown = boss.get(f"/api/reports/compare/{job['job_id']}/export", params={"format": "docx"})
    assert (unknown.status_code, "docx" in unknown.json()["detail"]) == (400, True)


def test_rows_that_were_swept_away_are_made_again(
    service: Service, boss: httpx.Client, pair: tuple[str, str, str], stored: Stored
) -> None:
    _, first, second = pair
    job = compare(boss, first, second, ignore=["counted_at"])
    comparison_id = job["comparison_result"]["metadata"]["comparison_id"]
    folder = service.settings.lake / "comparisons" / comparison_id
    shutil.rmtree(folder)
    page = boss.get(f"/api/reports/compare/{job['job_id']}/rows", params={"limit": 100}).json()
    assert page["rows"] == job["comparison_result"]["row_diff"]["changed"]
    assert folder.is_dir()
    of_before = {"$set": {"comparison_id": "cmp-" + "0" * 32}}
    stored.report_compare_jobs.update_one({"_id": job["job_id"]}, of_before)
    assert boss.get(f"/api/reports/compare/{job['job_id']}/rows", params={"limit": 100}).json() == page
    assert stored.report_compare_jobs.find_one({"_id": job["job_id"]}, {"comparison_id": 1, "_id": 0}) == {
        "comparison_id": comparison_id
    }, "an answer of an earlier version is found once"


async def test_one_that_runs_is_cancelled_and_its_process_ends(service: Service, pair: tuple[str, str, str]) -> None:
    _, first, second = pair
    bob = Caller(user_id="b", username="bob", role=Role.SUPERVISOR, login_id="", device_id="")
    async with open_async_mongo(service.settings.mongodb_uri or "") as client, open_room(service.settings) as room:
        store = ComparisonStore(async_database(client, service.settings), room, service.settings)
        await room.long.ask(Question(Describe(), {}, ()))
        os.kill(room.long.pid or 0, signal.SIGSTOP)  # as one that computes for long
        request = Compare(snapshot_a_id=first, snapshot_b_id=second, ignore=["uom"])
        asked = asyncio.create_task(store.compare(request, ANN, datetime.now(UTC)))
        async with asyncio.timeout(20):
            while not (found := await store.comparisons(ANN, "ann", 1)):  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.05)
            job_id = found[0].job_id
            with pytest.raises(rules.NotYourComparison):
                await store.cancel(job_id, bob, NOW)
            assert (found[0].status, asked.done()) == ("running", False)
            await store.cancel(job_id, ANN, NOW)
            with pytest.raises(rules.ComparisonCancelled):
                await asked
        assert room.long.pid is None
        assert (await store.cancel(job_id, ANN, NOW)).status == "cancelled"
        with pytest.raises(rules.ComparisonUnfinished, match=r"because it is cancelled\. Compare again"):
            await store.rows(job_id, ANN, "changed", 0, 1)


def test_only_one_that_runs_is_cancelled(boss: httpx.Client, pair: tuple[str, str, str]) -> None:
    _, first, second = pair
    done = boss.post(f"/api/reports/compare/{compare(boss, first, second)['job_id']}/cancel")
    assert (done.status_code, "is completed; only one that is running" in done.json()["detail"]) == (409, True)
    assert boss.post("/api/reports/compare/cj-nope/cancel").status_code == 404


def test_latest_is_what_it_was_when_it_was_compared(
    service: Service, boss: httpx.Client, pair: tuple[str, str, str], freezes: Freezes, stored: Stored
) -> None:
    job = compare(boss, "previous", "latest")
    stored.erp_items.insert_one(item(service.rack("late"), "late", 1))
    freezes()
    told = boss.get(f"/api/reports/compare/{job['job_id']}/contributions", params={"total": "lines"}).json()
    assert told["change"] == job["comparison_result"]["summary_diff"]["lines"]
    new = compare(boss, "previous", "latest")
    assert new["comparison_result"]["summary_diff"]["lines"]["absolute_diff"] == 1


@pytest.fixture
def report(stored: Stored) -> Callable[..., str]:
    """Keeps a report snapshot, a query on a freeze."""

    def kept(freeze_id: str, **spec: Any) -> str:
        made = Report(freeze_id, QuerySpec(**spec), f"rs-{os.urandom(8).hex()}")
        request, found = CreateSnapshot(name="r", query_spec=made.spec), Totals(NOW, 0, {})
        stored.report_snapshots.insert_one(report_document(made, request, found, 0.0, ANN, NOW, None))
        return made.report_id

    return kept


def test_results_of_one_query_compare_by_their_groups(
    boss: httpx.Client, pair: tuple[str, str, str], report: Callable[..., str]
) -> None:
    rack, first, second = pair
    spec: dict[str, Any] = {
        "collection": "positions",
        "filters": {"rack_id": rack},
        "group_by": ["category"],
        "aggregations": {"verified_qty": "sum", "item_code": "count"},
    }
    ids = report(first, **spec), report(second, **spec)
    job = compare(boss, *ids)
    [row] = job["comparison_result"]["row_diff"]["changed"]
    total = 9.5 + 8.0 * (LINES - 1)
    assert row == {
        "key": {"category": "Tools"},
        "baseline": {"verified_qty_sum": 0.0, "item_code_count": LINES + 2},
        "comparison": {"verified_qty_sum": total, "item_code_count": LINES + 2},
        "diff": {"verified_qty_sum": total},
    }
    url = f"/api/reports/compare/{job['job_id']}"
    told = boss.get(f"{url}/contributions", params={"total": "verified_qty_sum_sum"}).json()
    assert told["parts"] == [{"group": "Tools", "baseline": 0.0, "comparison": total, "change": total}]
    assert boss.get(f"{url}/export", params={"format": "json"}).json()["rows"][0]["verified_qty_sum_delta"] == total
    assert counts(compare(boss, *ids, tolerances={"verified_qty_sum": {"absolute": 1e6}})) == (0, 0, 0, 0)
    spec["filters"]["item_code"] = "00000"
    one = compare(boss, report(first, **spec), report(second, **spec))
    assert one["comparison_result"]["row_diff"]["changed"][0]["diff"] == {"verified_qty_sum": 9.5}


@pytest.mark.parametrize("damage", [lambda folder: (folder / "manifest.json").write_text("{"), shutil.rmtree])
def test_the_rows_of_a_report_need_nothing_of_their_freeze(tmp_path: Path, damage: Callable[[Path], Any]) -> None:
    made = freeze(tmp_path, ONE, LINE).manifest
    manifest = msgspec.structs.replace(frozen_report(tmp_path), freeze_id=ONE)
    assert comparisons._freeze(Lake(tmp_path), manifest).rows == made.rows
    damage(tmp_path / "positions" / ONE)
    assert comparisons._freeze(Lake(tmp_path), manifest).snapshot_id == ONE


def test_what_cannot_be_compared_is_refused_by_name_and_kept_as_failed(
    boss: httpx.Client, pair: tuple[str, str, str], report: Callable[..., str]
) -> None:
    _, first, second = pair
    missing = "20200101T000000000Z-00000000"
    items, records = report(first, collection="items"), report(second, collection="records")
    few = report(first, collection="items", filters={"floor": "G"})
    cases: list[tuple[dict[str, Any], int, str]] = [
        (
            {"snapshot_a_id": items, "snapshot_b_id": records},
            400,
            "different datasets, erp_items and verification_records",
        ),
        ({"snapshot_a_id": items, "snapshot_b_id": few}, 400, "come from different queries"),
        ({"snapshot_a_id": items, "snapshot_b_id": items, "dataset": "records"}, 400, "'records' cannot be chosen"),
        ({"snapshot_a_id": first, "snapshot_b_id": missing}, 404, missing),
        ({"snapshot_a_id": first, "snapshot_b_id": "rs-nope"}, 404, "rs-nope"),
        ({"snapshot_a_id": first, "snapshot_b_id": second, "dataset": "users"}, 400, "'users'"),
        ({"snapshot_a_id": first, "snapshot_b_id": second, "ignore": ["cost"]}, 400, "'cost'"),
        ({"snapshot_a_id": first, "snapshot_b_id": second, "tolerances": {"floor": {"absolute": 1}}}, 400, "'floor'"),
        (
            {"snapshot_a_id": first, "snapshot_b_id": second, "tolerances": {"mrp": {"absolute": -1}}},
            400,
            "'mrp' is below 0",
        ),
    ]
    for body, status, culprit in cases:
        reply = boss.post("/api/reports/compare", json=body)
        assert (reply.status_code, culprit in reply.json()["detail"]) == (status, True), reply.text
    failed = boss.get("/api/reports/compare", params={"limit": 8}).json()
    assert [job["status"] for job in failed] == ["failed"] * 8  # the last one was not even asked
    assert ("'floor'" in failed[0]["error"], failed[0]["comparison_result"]) == (True, None)
    rows = boss.get(f"/api/reports/compare/{failed[0]['job_id']}/rows")
    assert (rows.status_code, "because it is failed" in rows.json()["detail"]) == (404, True)


def test_a_damaged_snapshot_is_named_and_nothing_partial_is_shown(
    service: Service, boss: httpx.Client, pair: tuple[str, str, str], freezes: Freezes
) -> None:
    damaged = freezes()
    part = service.settings.lake / "positions" / damaged / "part-00000.parquet"
    short = part.read_bytes()[:-100]
    part.unlink()  # other snapshots share the file under names of their own
    part.write_bytes(short)
    body = {"snapshot_a_id": pair[1], "snapshot_b_id": damaged}
    reply = boss.post("/api/reports/compare", json=body)
    assert (reply.status_code, f"{damaged} of positions is damaged" in reply.json()["detail"]) == (500, True), (
        reply.text
    )
    assert f"its file {part.name} has {len(short)} bytes" in reply.json()["detail"]
    for path in ("", "/export"):
        assert boss.get(f"/api/reports/snapshots/{damaged}{path}").json() == reply.json()
    (job, *_) = boss.get("/api/reports/compare", params={"limit": 1}).json()
    assert (job["status"], damaged in job["error"], job["comparison_result"]) == ("failed", True, None)
    shutil.rmtree(part.parent)


def test_unknown_comparisons_and_kinds(boss: httpx.Client, pair: tuple[str, str, str]) -> None:
    for path in ("", "/rows", "/contributions", "/export"):
        reply = boss.get(f"/api/reports/compare/cj-nope{path}")
        assert (reply.status_code, "cj-nope" in reply.json()["detail"]) == (404, True)
    job = compare(boss, pair[1], pair[2])
    assert boss.get(f"/api/reports/compare/{job['job_id']}/rows", params={"kind": "unchanged"}).status_code == 400


def test_staff_compare_nothing_and_auditors_only_read(
    service: Service, boss: httpx.Client, pair: tuple[str, str, str]
) -> None:
    job = compare(boss, pair[1], pair[2])
    staff, auditor = service.person(), service.person("auditor")
    for path in ("", "/rows", "/contributions", "/export"):
        assert staff.get(f"/api/reports/compare/{job['job_id']}{path}").status_code == 403
        assert auditor.get(f"/api/reports/compare/{job['job_id']}{path}").status_code == 200
    body = {"snapshot_a_id": pair[1], "snapshot_b_id": pair[2]}
    assert auditor.post("/api/reports/compare", json=body).status_code == 403


def test_a_comparison_whose_service_ended_is_given_up_for_lost() -> None:
    request = Compare(snapshot_a_id="latest", snapshot_b_id="rs-1", tolerances={"mrp": Limits(absolute=1)})
    job = rules.begun("cj-1", request, CompareBoth(first="latest", second="b"), ANN, NOW)
    told = rules.as_job(job, NOW + LOST_AFTER)
    assert (told.status, told.error, told.name) == ("running", None, "latest against rs-1")
    told = rules.as_job(job, NOW + LOST_AFTER + timedelta(seconds=1))
    assert (told.status, told.error) == ("failed", LOST)


def test_a_comparison_of_an_earlier_version_is_shown_and_has_no_pages(
    boss: httpx.Client, stored: Stored, pair: tuple[str, str, str]
) -> None:
    job = compare(boss, pair[1], pair[2])
    document = stored.report_compare_jobs.find_one({"_id": job["job_id"]}) or {}
    metadata = document["comparison_result"]["metadata"]
    kept = {name: metadata[name] for name in ("dataset", "key", "ignored", "column_changes", "baseline", "comparison")}
    old = {name: document[name] for name in document if name not in ("asked", "comparison_id", "error", "freeze_ids")}
    stored.report_compare_jobs.insert_one(
        old | {"_id": "cj-old", "comparison_result": document["comparison_result"] | {"metadata": kept}}
    )
    shown = boss.get("/api/reports/compare/cj-old").json()
    assert shown["comparison_result"]["row_diff"] == job["comparison_result"]["row_diff"]
    assert boss.get("/api/reports/compare/cj-old/rows").status_code == 404
