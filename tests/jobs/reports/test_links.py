"""Files that are too large for a mail: the service gives them out by the link in the mail, until their time is over."""

import html
import re
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest
from pymongo import MongoClient

from analytics.lake import Lake
from ingest.exports.running import sweep
from ingest.exports.store import ExportStore
from jobs.reports.report import report
from jobs.tools import Tools
from stockverify.clients import Document, async_database, database, open_async_mongo
from stockverify.letters import opened
from stockverify.vocabulary import Collection
from tests.dashboard.stock import two_snapshots
from tests.jobs.reports.conftest import NOW, about, run_of
from tests.service import Service

LINK = re.compile(r'href="([^"]+/api/reports/exports/[^"]+)"')


@pytest.fixture(scope="module")
def tools(service: Service, mongo: "MongoClient[Document]", tmp_path_factory: pytest.TempPathFactory) -> Tools:
    """A worker beside the service: the same settings and exports, with a lake and a database of its own."""
    settings = msgspec.structs.replace(service.settings, public_api_url=service.url + "/")
    found = database(mongo, settings)
    lake = Lake(tmp_path_factory.mktemp("links") / "lake")
    two_snapshots(database(mongo, msgspec.structs.replace(settings, mongodb_database="links")), lake)
    return Tools(found, lake, settings, lambda: False)


async def get(link: str) -> httpx.Response:
    """As a mail program opens it: without a token."""
    async with httpx.AsyncClient() as client:
        return await client.get(link)


async def test_a_link_gives_the_file_until_its_time_is_over(tools: Tools, service: Service) -> None:
    now = datetime.now(UTC)
    run = run_of(
        {**about("snapshot"), "formats": ["html", "csv", "json"], "max_attachment_bytes": 1024},
        snapshot_id=tools.lake.ids()[0],
        requested_at=NOW,
    )
    for minutes in (0, 7):  # taken over: the link in the letter that was kept still works
        report(tools, run, now + timedelta(minutes=minutes))
    letter = opened(tools.settings.mails, run["_id"])
    links = [html.unescape(each) for each in LINK.findall(letter.html)]
    assert (letter.attachments, len(links), all(each in letter.text for each in links)) == ((), 2, True)
    assert "not attached but linked" in letter.text
    for link in links:
        reply = await get(link)
        assert reply.status_code == 200, reply.text
        assert reply.headers["X-Rows"] == "597"
    assert (await get(links[0].replace("user=u-1", "user=u-2"))).status_code == 403
    listed = service.admin.get("/api/reports/exports").json()
    mine = [each for each in listed if each["created_by"] == "olga"]
    assert [(each["status"], each["rows_done"]) for each in mine] == [("done", 597)] * 2
    told = [service.admin.get(f"/api/reports/exports/{each['job_id']}/manifest").json() for each in mine]
    assert [each["rows"] for each in told] == [597, 597]

    async with open_async_mongo(tools.settings.mongodb_uri or "") as client:
        found = async_database(client, tools.settings)
        store = ExportStore(found, None, None, tools.settings, "s" * 32)  # type: ignore[arg-type]
        await sweep(store, now + timedelta(seconds=tools.settings.export_ttl - 60))
        assert (await get(links[0])).status_code == 200
        await sweep(store, now + timedelta(seconds=tools.settings.export_ttl + 480))
    assert (await get(links[0])).status_code == 410
    assert [path for path in tools.settings.export_jobs.iterdir() if path.name.endswith("-report")] == []
    tools.database[Collection.REPORT_EXPORTS].delete_many({"created_by": "olga"})
    tools.database[Collection.DELIVERIES].delete_many({"run_id": run["_id"]})
