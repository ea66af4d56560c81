"""Importing a list with bad rows, and looking after snapshots, as people do it in real Chromium."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect
from pymongo import MongoClient
from pymongo.database import Database

from analytics.extract import materialise
from analytics.lake import Lake
from stockverify.clients import Document, database
from tests.dashboard.pages import DESKTOP, PATIENCE, Look, looks, visit
from tests.dashboard.running import Dashboard, running_dashboard, watched
from tests.dashboard.stock import report_snapshot, two_snapshots
from tests.service import PASSWORD, PATIENT, Service, running_service

pytestmark = pytest.mark.browser
MAPPED = {"Floor": "Ort", "Rack *": "Regal", "Item code *": "Artikel", "Book quantity *": "Bestand"}


class Place(NamedTuple):
    """A dashboard over a service and a lake that nobody else looks at: what is imported here changes both."""

    dashboard: Dashboard
    service: Service
    stored: "Database[Document]"

    @property
    def lake(self) -> Lake:
        """The lake of both."""
        return Lake(self.service.settings.lake)

    def login(self) -> tuple[str, str]:
        """Name and password of a new supervisor."""
        return str(self.service.person("supervisor").get("/api/auth/me").json()["username"]), PASSWORD


@pytest.fixture(scope="module")
def place(
    service: Service, mongo: "MongoClient[Document]", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """At the end the logs of both must be clean."""
    folder = tmp_path_factory.mktemp("importing")
    settings = msgspec.structs.replace(service.settings, data_dir=folder, mongodb_database=f"at_{folder.name}")
    stored = database(mongo, settings)
    two_snapshots(stored, Lake(settings.lake))
    with running_service(settings, module=PATIENT) as started:
        [process] = started.children
        with watched(process.spec.log), running_dashboard(started.settings) as shown:
            yield Place(shown, started, stored)


def choose(page: Page, ours: str, theirs: str) -> None:
    """Say which heading a column of ours is read from. A list that opens while the page moves is closed by that: then
    it is opened again."""
    box = page.get_by_role("combobox", name=re.compile(rf"{re.escape(ours)}$"))
    option = page.get_by_role("option", name=re.compile(rf"^{theirs}"))
    for _ in range(5):
        box.click()
        box.fill(theirs)
        with suppress(AssertionError):
            expect(option).to_be_visible(timeout=PATIENCE / 6)
            break
        page.keyboard.press("Escape")
    option.click()


@pytest.mark.parametrize("look", looks(DESKTOP, "light"))
def test_a_list_with_bad_rows_is_mapped_tried_imported_and_seen(
    browser: Browser, place: Place, tmp_path: Path, look: Look
) -> None:
    rack = place.service.rack("NEW")
    rows = [f"Keller;{rack};0001;Türgriff;2,5", f"Keller;{rack};0002;Knopf;zwölf", f"Keller;{rack};0003;Griff;7"]
    file = tmp_path / "Lager.csv"
    file.write_bytes("\r\n".join(["Ort;Regal;Artikel;Text;Bestand", *rows, ""]).encode("cp1252"))
    with visit(browser, place.dashboard.url, look) as visiting:
        page = visiting.sign_in(*place.login(), path="/imports").page
        page.locator("input[type=file]").set_input_files(file)
        expect(page.get_by_test_id("stFileChipName")).to_have_text("Lager.csv")
        page.get_by_role("button", name="Check this list").click()
        expect(page.get_by_text("CSV, cp1252, semicolon between cells, 3 rows")).to_be_visible(timeout=PATIENCE)
        visiting.settle()
        checks = page.get_by_role("button", name="Check with these columns")
        checks.scroll_into_view_if_needed()  # a list that opens while the page scrolls to it is closed again
        for ours, theirs in MAPPED.items():
            choose(page, ours, theirs)
        checks.click()
        expect(visiting.metric("Bad rows")).to_have_text("1", timeout=PATIENCE)
        visiting.settle()
        with page.expect_download() as asked:
            page.get_by_role("button", name="All bad rows (csv)").click()
        told = asked.value.path().read_text(encoding="utf-8-sig").splitlines()
        assert told[1].startswith("3,book_qty,zwölf,is not a number with a decimal comma,Keller")
        page.get_by_text("Leave out the 1 bad rows").click()
        page.get_by_role("button", name="Import 2 new and 0 changed lines").click()
        expect(page.get_by_text("In the book since")).to_be_visible(timeout=PATIENCE)
        materialise(place.lake, place.stored, datetime.now(UTC), "After the import")
        page.get_by_role("button", name="Refresh").click()
        page.get_by_role("link", name="See the imported lines").click()
        expect(page.get_by_text("Showing rows 1 to 2 of 2.")).to_be_visible(timeout=PATIENCE)
        visiting.settle()
        assert visiting.complaints == []
    lines = place.stored.erp_items.find({"rack_id": rack}).sort([("rack_id", 1), ("bin", 1), ("item_code", 1)])
    assert [(line["item_code"], line["book_qty"], line["item_name"]) for line in lines] == [
        ("0001", 2.5, None),
        ("0003", 7.0, None),
    ]


def test_a_snapshot_is_pinned_unpinned_and_deleted(browser: Browser, place: Place) -> None:
    login = place.login()
    report = report_snapshot(place.lake, place.stored, place.lake.ids()[0], "of a browser", by=login[0])
    with visit(browser, place.dashboard.url, Look(DESKTOP, "light")) as visiting:
        page = visiting.sign_in(*login, path=f"/snapshots?kept={report['_id']}").page
        expect(page.get_by_text("Made of the data snapshot")).to_be_visible(timeout=PATIENCE)
        page.get_by_role("button", name="Pin", exact=True).click()
        expect(page.get_by_text(f"pinned by {login[0]}")).to_be_visible(timeout=PATIENCE)
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("is pinned; unpin it first")).to_be_visible(timeout=PATIENCE)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Unpin").click()
        expect(page.get_by_role("button", name="Pin", exact=True)).to_be_visible(timeout=PATIENCE)
        visiting.settle()
        page.get_by_role("button", name="Delete").click()
        page.get_by_role("button", name="Delete it for good").click()
        expect(page.get_by_role("heading", name="Deleted")).to_be_visible(timeout=PATIENCE)
        visiting.settle()
        assert "kept=" not in page.url
        assert visiting.complaints == []
    assert place.stored.report_snapshots.find_one({"_id": report["_id"]}) is None
    deeds = place.stored.activity_logs.find({"subject": report["_id"]}).sort("at", 1)
    assert [each["action"] for each in deeds] == ["snapshot.pinned", "snapshot.unpinned", "snapshot.deleted"]
