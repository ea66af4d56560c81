"""Export jobs over HTTP: asked for, watched, cancelled, fetched by a link, and alive after kills."""

import io
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import openpyxl
import polars as pl
import pypdf
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from analytics.extract import materialise
from analytics.lake import Lake
from analytics.lake.removing import remove
from ingest.activity.store import ActivityStore
from ingest.exports.running import sweep
from ingest.exports.store import ExportStore
from ingest.reports.room import open_room
from stockverify import links
from stockverify.clients import Document, async_database, database, open_async_mongo
from stockverify.links import Link
from stockverify.services.embedded import Backends
from stockverify.vocabulary import Collection
from tests.analytics.stock import item
from tests.service import Service, running_service, start_process

Stored = Database[dict[str, Any]]
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
ROWS = 30_000
KINDS = ("csv", "xlsx", "json", "ndjson", "parquet", "pdf")
ENDED = ("done", "failed", "cancelled")


@pytest.fixture(scope="module")
def shop(
    embedded: Backends, mongo: "MongoClient[Document]", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service in two processes, with a freeze of enough rows that a workbook takes a while."""
    changes: dict[str, Any] = {"mongodb_database": "exports", "data_dir": tmp_path_factory.mktemp("exports")}
    settings = msgspec.structs.replace(embedded.settings, secret="e" * 32, currency="EUR", **changes)
    stored = database(mongo, settings)
    stored[Collection.ERP_ITEMS].insert_many(
        item("R1", f"{n:06}", 2.0, item_name="=cmd|' /C calc'!A0") for n in range(ROWS)
    )
    materialise(Lake(settings.lake), stored, NOW, "all of it")
    with running_service(settings, processes=2) as service:
        yield service


@pytest.fixture(scope="module")
def boss(shop: Service) -> httpx.Client:
    return shop.person("supervisor")


@pytest.fixture
def jobs(shop: Service, mongo: "MongoClient[Document]") -> Any:
    return database(mongo, shop.settings)[Collection.REPORT_EXPORTS]


def ask(client: httpx.Client, kind: str, **more: Any) -> dict[str, Any]:
    return ask_for(client, kind, snapshot_id="latest", **more)


def ask_for(client: httpx.Client, kind: str, **source: Any) -> dict[str, Any]:
    reply = client.post("/api/reports/exports", json={"format": kind, **source})
    assert reply.status_code == 202, reply.text
    job: dict[str, Any] = reply.json()
    return job


def look(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/reports/exports/{job['job_id']}").raise_for_status().json()
    return found


def until(client: httpx.Client, job: dict[str, Any], holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while not holds(state := look(client, job)):
        assert time.monotonic() < deadline, state
        time.sleep(0.1)
    return state


def ended(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    return until(client, job, lambda state: state["status"] in ENDED)


def fetch(shop: Service, url: str) -> httpx.Response:
    """Without any token, as from a mail."""
    return httpx.get(shop.url + url)


def manifest(client: httpx.Client, job: dict[str, Any]) -> httpx.Response:
    return client.get(f"/api/reports/exports/{job['job_id']}/manifest")


def folders(shop: Service) -> list[Path]:
    root = shop.settings.exports / "jobs"
    return sorted(root.iterdir()) if root.is_dir() else []


def under_way(state: dict[str, Any]) -> bool:
    return state["status"] == "running" and state["rows_done"] > 0


def test_a_job_from_the_queue_to_the_file(shop: Service, boss: httpx.Client) -> None:
    asked = ask(boss, "ndjson")
    assert (asked["status"], asked["rows_done"], asked["download_url"]) == ("queued", 0, None)
    assert asked["snapshot_id"] != "latest"
    done = ended(boss, asked)
    assert (done["status"], done["rows_done"], done["rows_total"], done["error"]) == ("done", ROWS, ROWS, None)
    reply = fetch(shop, done["download_url"])
    rows = reply.content.splitlines()
    assert (reply.status_code, len(rows), json.loads(rows[7])["item_code"]) == (200, ROWS, "000007")
    assert reply.headers["content-disposition"] == 'attachment; filename="all-of-it.ndjson"'
    assert reply.headers["content-type"] == "application/x-ndjson"
    assert (reply.headers["x-content-sha256"], len(reply.content)) == (done["sha256"], done["bytes"])
    assert "etag" in reply.headers
    link = f'</api/reports/exports/{done["job_id"]}/manifest>; rel="describedby"; type="application/json"'
    told = boss.get(reply.links["describedby"]["url"]).json()
    assert (reply.headers["link"], told["rows"], told["currency"]) == (link, ROWS, "EUR")
    assert fetch(shop, done["download_url"]).content == reply.content, "the file stays for the next one"
    assert done["expires_at"] - done["finished_at"] == shop.settings.export_ttl


def test_a_download_that_broke_off_goes_on_where_it_stopped(shop: Service, boss: httpx.Client, tmp_path: Path) -> None:
    done = ended(boss, ask(boss, "csv"))
    url, whole = shop.url + done["download_url"], fetch(shop, done["download_url"])
    assert (whole.headers["accept-ranges"], whole.headers["etag"]) == ("bytes", f'"{done["sha256"]}"')
    half, size = done["bytes"] // 2, done["bytes"]
    part = httpx.get(url, headers={"Range": f"bytes={half}-", "If-Range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, whole.content[half:])
    assert part.headers["content-range"] == f"bytes {half}-{size - 1}/{size}"
    assert part.headers["content-length"] == str(size - half)
    same = ("etag", "content-type", "x-content-sha256", "cache-control", "accept-ranges", "x-rows")
    assert {name: part.headers[name] for name in same} == {name: whole.headers[name] for name in same}
    asked_first = httpx.head(url, headers={"Range": f"bytes={half}-"})
    assert (asked_first.status_code, asked_first.content) == (200, b""), "of ranges only GET knows"
    told = (*same, "content-length", "content-disposition", "x-content-type-options", "link")
    assert {name: asked_first.headers[name] for name in told} == {name: whole.headers[name] for name in told}
    changed = httpx.get(url, headers={"Range": f"bytes={half}-", "If-Range": '"another file"'})
    assert (changed.status_code, changed.content) == (200, whole.content)
    beyond = httpx.get(url, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert beyond.headers["content-type"] == "application/problem+json"
    wrong = httpx.get(url.replace("signature=", "signature=x"), headers={"Range": "bytes=0-1"})
    assert wrong.status_code == 403, "a range opens nothing"
    assert httpx.head(url.replace("signature=", "signature=x")).status_code == 403
    target = tmp_path / "cut.csv"
    target.write_bytes(whole.content[:half])
    curl = ["curl", "--silent", "--show-error", "--fail", "--continue-at", "-", "--output", str(target), url]
    subprocess.run(curl, check=True, timeout=30)
    assert target.read_bytes() == whole.content


@pytest.fixture
def two(shop: Service, mongo: "MongoClient[Document]") -> Iterator[tuple[str, str]]:
    """Two freezes, of which the later one has one more line; gone afterwards, so that `latest` is what it was."""
    stored, lake = database(mongo, shop.settings), Lake(shop.settings.lake)
    before = materialise(lake, stored, datetime.now(UTC)).snapshot_id
    stored[Collection.ERP_ITEMS].insert_one(item("R2", "=new", 1.0))
    after = materialise(lake, stored, datetime.now(UTC)).snapshot_id
    yield before, after
    stored[Collection.ERP_ITEMS].delete_one({"rack_id": "R2"})
    for snapshot_id in (before, after):
        remove(lake.root, snapshot_id)


def test_all_that_differs_in_a_comparison(shop: Service, boss: httpx.Client, two: tuple[str, str]) -> None:
    before, after = two
    pair = {"snapshot_a_id": before, "snapshot_b_id": after, "comparison_name": "Night & day"}
    compared = boss.post("/api/reports/compare", json=pair).raise_for_status().json()
    asked = {kind: ask_for(boss, kind, comparison_job_id=compared["job_id"]) for kind in KINDS}
    done = {kind: ended(boss, job) for kind, job in asked.items()}
    assert {(job["status"], job["rows_done"], job["snapshot_id"]) for job in done.values()} == {("done", 1, after)}
    assert {job["comparison_job_id"] for job in done.values()} == {compared["job_id"]}
    assert {job["file"] for job in done.values()} == {f"Night-day.{kind}" for kind in KINDS}
    files = {kind: io.BytesIO(fetch(shop, job["download_url"]).content) for kind, job in done.items()}
    [row] = pl.read_parquet(files["parquet"]).to_dicts()
    assert (row["change"], row["rack_id"], row["item_code"], row["book_qty_after"]) == ("added", "R2", "=new", 1.0)
    assert json.load(files["json"])["rows"][0]["item_code"] == "=new"
    assert json.load(files["ndjson"])["item_code"] == "=new"
    assert b",'=new," in files["csv"].getvalue()
    assert openpyxl.load_workbook(files["xlsx"]).worksheets[0]["D2"].value == "=new"
    assert "=new" in pypdf.PdfReader(files["pdf"]).pages[-1].extract_text()
    told = manifest(boss, done["csv"]).raise_for_status().json()
    assert (told["snapshot_id"], told["compared_with"], told["rows"]) == (after, before, 1)
    assert (told["sha256"], told["file"]) == (done["csv"]["sha256"], "Night-day.csv")
    auditor = shop.person("auditor")  # who may read, but not keep comparisons
    asked_anew = ask_for(auditor, "csv", compare={"snapshot_a_id": before, "snapshot_b_id": "latest"})
    unkept = ended(auditor, asked_anew)
    assert (unkept["status"], unkept["snapshot_id"], unkept["comparison_job_id"]) == ("done", after, None)
    assert (unkept["file"], unkept["sha256"]) == (f"{before}-against-latest.csv", done["csv"]["sha256"])
    # It needs its snapshots no more, once it was made.
    remove(shop.settings.lake, before)
    again = ended(boss, ask_for(boss, "csv", comparison_job_id=compared["job_id"]))
    assert (again["status"], again["sha256"]) == ("done", done["csv"]["sha256"])


def test_formats_options_and_queries(shop: Service, boss: httpx.Client) -> None:
    grouped = {"collection": "items", "group_by": ["rack_id"], "aggregations": {"book_qty": "sum"}}
    asked = {
        kind: ask(boss, kind, query_spec=grouped, options={"bom": False}) for kind in ("csv", "pdf", "xlsx", "parquet")
    }
    files = {kind: fetch(shop, ended(boss, job)["download_url"]).content for kind, job in asked.items()}
    assert files["csv"] == b"rack_id,book_qty_sum\r\nR1,60000.0\r\n"
    assert "60,000" in pypdf.PdfReader(io.BytesIO(files["pdf"])).pages[-1].extract_text()
    sheet = openpyxl.load_workbook(io.BytesIO(files["xlsx"])).worksheets[0]
    assert list(sheet.iter_rows(values_only=True)) == [("rack_id", "book_qty_sum"), ("R1", 60_000)]
    assert pl.read_parquet(io.BytesIO(files["parquet"])).rows() == [("R1", 60_000.0)]


@pytest.mark.parametrize(
    ("body", "status", "culprit"),
    [
        ({"format": "docx"}, 400, "docx"),
        ({"dataset": "users"}, 400, "users"),
        ({"snapshot_id": "nope"}, 404, "nope"),
        ({"snapshot_id": "../../etc/passwd"}, 404, "../../etc/passwd"),
        ({"query_spec": {"collection": "items", "filters": {"password": 1}}}, 400, "password"),
        ({"snapshot_id": None}, 400, "just one of snapshot_id, comparison_job_id"),
        ({"comparison_job_id": "cj-1"}, 400, "just one of snapshot_id"),
        ({"snapshot_id": None, "comparison_job_id": "cj-nope"}, 404, "cj-nope"),
        ({"snapshot_id": None, "comparison_job_id": "cj-1", "dataset": "items"}, 400, "leave out dataset"),
        ({"snapshot_id": None, "compare": {"snapshot_a_id": "latest", "snapshot_b_id": "rs-no"}}, 404, "rs-no"),
        ({"compare": {"snapshot_a_id": "latest", "snapshot_b_id": "latest"}}, 400, "just one of snapshot_id"),
    ],
)
def test_what_is_wrong_is_said_at_once(boss: httpx.Client, body: dict[str, Any], status: int, culprit: str) -> None:
    reply = boss.post("/api/reports/exports", json={"snapshot_id": "latest", "format": "csv", **body})
    assert (reply.status_code, culprit in reply.json()["detail"]) == (status, True)


def test_a_link_is_for_one_file_one_person_and_a_time(shop: Service, boss: httpx.Client, jobs: Any) -> None:
    first, second = (ended(boss, ask(boss, "csv", dataset="items")) for _ in range(2))
    split = urlsplit(first["download_url"])
    query = dict(parse_qsl(split.query))
    for name, value in (
        ("expires", str(int(query["expires"]) + 1)),
        ("user", "u-other"),
        ("signature", "A" * 43),
        ("signature", ""),
    ):
        reply = httpx.get(shop.url + split.path, params=query | {name: value})
        assert reply.status_code == 403, reply.text
        assert "not as it was given out" in reply.json()["detail"]
    for path in (second["job_id"], "ex-unknown", "..%2F..%2Fsecret.key", "%2e%2e"):
        reply = httpx.get(f"{shop.url}/api/reports/exports/{path}/file", params=query)
        assert reply.status_code in (403, 404), reply.text
    link = Link(first["job_id"], first["file"], int(time.time()) - 1, "u")
    late = fetch(shop, links.url(link, links.key_of("e" * 32)))
    assert (late.status_code, "has expired" in late.json()["detail"]) == (410, True)
    shutil.rmtree(next(folder for folder in folders(shop) if folder.name.startswith(second["job_id"])))
    assert fetch(shop, second["download_url"]).status_code == 410


def test_whoever_may_see_and_cancel(shop: Service, boss: httpx.Client) -> None:
    job = ended(boss, ask(boss, "csv", dataset="sessions"))
    auditor, other, staff = shop.person("auditor"), shop.person("supervisor"), shop.person()
    assert staff.get("/api/reports/exports").status_code == 403
    for person in (auditor, other):
        assert job["job_id"] in [each["job_id"] for each in person.get("/api/reports/exports").json()]
        assert fetch(shop, look(person, job)["download_url"]).status_code == 200
    mine = ended(auditor, ask(auditor, "csv", dataset="sessions"))
    listed = boss.get("/api/reports/exports", params={"created_by": mine["created_by"]}).json()
    assert [each["job_id"] for each in listed] == [mine["job_id"]]
    assert auditor.post(f"/api/reports/exports/{job['job_id']}/cancel").status_code == 403
    finished = other.post(f"/api/reports/exports/{job['job_id']}/cancel")
    assert (finished.status_code, "is done already" in finished.json()["detail"]) == (409, True)
    entries = shop.admin.get("/api/activity/", params={"subject": mine["job_id"]}).json()
    deadline = time.monotonic() + 60
    while not entries and time.monotonic() < deadline:
        time.sleep(0.2)
        entries = shop.admin.get("/api/activity/", params={"subject": mine["job_id"]}).json()
    assert [(entry["action"], entry["details"]["format"]) for entry in entries] == [("export.asked", "csv")]


def test_a_job_is_cancelled_while_it_runs_and_leaves_nothing(shop: Service, boss: httpx.Client) -> None:
    before = folders(shop)
    job = ask(boss, "xlsx")
    seen = until(boss, job, under_way)
    assert 0 < seen["rows_done"] < seen["rows_total"] == ROWS
    reply = boss.post(f"/api/reports/exports/{job['job_id']}/cancel")
    assert reply.status_code == 200
    state = ended(boss, job)
    assert state["rows_done"] < ROWS * 0.8, "it has stopped between two batches"
    assert (state["status"], state["download_url"], state["file"]) == ("cancelled", None, None)
    assert boss.post(f"/api/reports/exports/{job['job_id']}/cancel").json() == state
    no_file = manifest(boss, job)
    assert (no_file.status_code, "because it is cancelled" in no_file.json()["detail"]) == (404, True)
    assert folders(shop) == before


def test_a_job_in_the_queue_is_cancelled_at_once(shop: Service, boss: httpx.Client) -> None:
    asked = [ask(boss, "xlsx") for _ in range(5)]
    replies = [boss.post(f"/api/reports/exports/{job['job_id']}/cancel").json() for job in reversed(asked)]
    assert [reply["status"] for reply in replies[:3]] == ["cancelled"] * 3
    assert {ended(boss, job)["status"] for job in asked} == {"cancelled"}


def test_too_many_at_once_are_refused(shop: Service, jobs: Any) -> None:
    person = shop.person("supervisor")
    user_id = person.get("/api/auth/me").json()["id"]
    open_jobs = [
        {"_id": f"full-{n}", "created_by_id": user_id, "status": "running", "alive_until": NOW + timedelta(9999)}
        for n in range(20)
    ]
    jobs.insert_many(open_jobs)
    reply = person.post("/api/reports/exports", json={"snapshot_id": "latest", "format": "csv"})
    jobs.delete_many({"created_by_id": user_id})
    assert (reply.status_code, "You have 20 exports" in reply.json()["detail"]) == (429, True)


def test_the_reports_process_may_be_killed(shop: Service, boss: httpx.Client) -> None:
    job = ask(boss, "xlsx")
    until(boss, job, under_way)
    for child in shop.children:
        for pid in Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
    done = ended(boss, job)
    assert (done["status"], done["rows_done"]) == ("done", ROWS)


def test_a_killed_service_leaves_its_job_to_the_other_one(shop: Service, boss: httpx.Client, jobs: Any) -> None:
    job = ask(boss, "xlsx")
    until(boss, job, under_way)
    for child in shop.children:
        child.kill()
    left = next(folder for folder in folders(shop) if folder.name.startswith(job["job_id"]))
    jobs.update_one({"_id": job["job_id"]}, {"$set": {"alive_until": NOW}})  # as half a minute later
    shop.children[:] = []
    start_process(shop, 3)
    done = ended(boss, job)
    assert (done["status"], done["rows_done"], jobs.find_one({"_id": job["job_id"]})["attempts"]) == ("done", ROWS, 2)
    assert len(fetch(shop, done["download_url"]).content) == done["bytes"]
    assert not left.exists()


def test_a_job_that_ends_the_service_again_and_again_fails(boss: httpx.Client, jobs: Any) -> None:
    job = ask(boss, "csv", dataset="sessions")
    ended(boss, job)
    jobs.update_one({"_id": job["job_id"]}, {"$set": {"status": "running", "alive_until": NOW, "attempts": 2}})
    state = ended(boss, job)
    assert (state["status"], "ended twice" in str(state["error"])) == ("failed", True)


async def test_files_are_swept_when_their_time_is_over(shop: Service, boss: httpx.Client, jobs: Any) -> None:
    job, _ = (ended(boss, ask(boss, "csv", dataset="sessions")) for _ in range(2))
    orphan = shop.settings.exports / "jobs" / "ex-0000-left"
    orphan.mkdir()
    os.utime(orphan, (0, 0))
    jobs.update_one({"_id": job["job_id"]}, {"$set": {"file_expires_at": NOW}})
    kept = [folder for folder in folders(shop) if job["job_id"] not in folder.name and folder != orphan]
    for folder in kept:
        os.utime(folder, (0, 0))
    async with open_async_mongo(shop.settings.mongodb_uri or "") as client, open_room(shop.settings) as room:
        for name in ("exports_copy", "exports"):
            stored = async_database(client, msgspec.structs.replace(shop.settings, mongodb_database=name))
            if name == "exports_copy":  # restored to be looked at, over the same folders
                await stored[Collection.ACTIVITY_LOGS].insert_one(
                    {"action": "backup.restored", "at": datetime.now(UTC)}
                )
            await sweep(ExportStore(stored, room, ActivityStore(stored), shop.settings, "e" * 32), datetime.now(UTC))
    assert folders(shop) == kept
    assert kept, "files whose time is not over stay, however old their folders look"
    later = look(boss, job)
    assert (later["status"], later["download_url"], later["expires_at"]) == ("done", None, None)
    assert fetch(shop, job["download_url"]).status_code == 410
    gone = manifest(boss, job)
    assert (gone.status_code, "Export it again" in gone.json()["detail"]) == (410, True)
