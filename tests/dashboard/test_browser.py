"""The dashboard as people meet it: real Chromium, dashboard, service, worker, MongoDB and Parquet."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import polars as pl
import pytest
from playwright.sync_api import Browser, expect
from pymongo import MongoClient
from pymongo.database import Database

from analytics.glance.numbers import amount
from analytics.lake import Lake
from stockverify.clients import Document, database
from stockverify.services.child import Child, Spec
from stockverify.services.embedded import Backends
from stockverify.settings import to_env
from stockverify.vocabulary import Collection
from tests.analytics.stock import record
from tests.dashboard import explore
from tests.dashboard.expected import figures
from tests.dashboard.pages import DESKTOP, PATIENCE, TABLET, Look, check_every_page, chromium, visit
from tests.dashboard.running import Dashboard, running_dashboard
from tests.dashboard.stock import HOSTILE_RACK, two_snapshots
from tests.service import PASSWORD, Service, running_service

pytestmark = [pytest.mark.browser, pytest.mark.alone]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def office(embedded: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with a lake of its own."""
    folder = tmp_path_factory.mktemp("office")
    settings = msgspec.structs.replace(
        embedded.settings, mongodb_database="office", data_dir=folder, time_zone="Europe/Berlin"
    )
    with running_service(settings) as started:
        yield started


@pytest.fixture(scope="module")
def store(office: Service, mongo: "MongoClient[Document]") -> "Database[Document]":
    """Its database, with two snapshots taken."""
    found = database(mongo, office.settings)
    two_snapshots(found, Lake(office.settings.lake))
    return found


@pytest.fixture(scope="module")
def dashboard(office: Service, store: "Database[Document]") -> Iterator[Dashboard]:
    """The dashboard on the same lake; at the end its log must hold no error."""
    with running_dashboard(office.settings) as started:
        yield started
        log = started.log()
    assert not [line for line in log.splitlines() if "Traceback" in line or "rror" in line], log


@contextmanager
def working(office: Service) -> Iterator[None]:
    """A worker for a while."""
    log = office.settings.data_dir / "logs" / "worker.log"
    worker = Child(Spec("worker", (sys.executable, "-m", "jobs"), log, to_env(office.settings)))
    try:
        yield
    finally:
        worker.stop()


def person(office: Service, role: str) -> tuple[str, str]:
    """Name and password of a new user."""
    return str(office.person(role).get("/api/auth/me").json()["username"]), PASSWORD


def looks(folder: Path) -> list[Look]:
    """Two looks that differ in all. Pictures for the documents are made of the demo (tests/test_demo_in_browser.py)."""
    return [Look(DESKTOP, "light", folder), Look(TABLET, "dark", folder)]


def test_every_page_shows_the_figures_of_mongodb(
    browser: Browser, dashboard: Dashboard, office: Service, store: "Database[Document]", tmp_path: Path
) -> None:
    login, expected = person(office, "supervisor"), figures(store)
    for look in looks(tmp_path):
        check_every_page(browser, dashboard.url, login, expected, look)


def test_hostile_names_stay_text(browser: Browser, dashboard: Dashboard, office: Service) -> None:
    with visit(browser, dashboard.url, Look()) as visiting:
        page = visiting.sign_in(*person(office, "auditor")).page
        expect(page.get_by_text(HOSTILE_RACK[:4]).first).to_be_attached()
        assert page.locator("main script, a[href*='example.com']").count() == 0
        assert visiting.complaints == []


def test_a_download_is_the_exported_file(
    browser: Browser, dashboard: Dashboard, office: Service, store: "Database[Document]", tmp_path: Path
) -> None:
    with visit(browser, dashboard.url, Look()) as visiting:
        page = visiting.sign_in(*person(office, "auditor"), path="/export").page
        page.get_by_role("radio", name="parquet").or_(page.get_by_role("button", name="parquet")).first.click()
        visiting.settle()
        page.get_by_role("button", name="Make the file").click()
        link = page.get_by_role("link", name="Download", exact=True)
        expect(link).to_be_visible(timeout=PATIENCE)
        link.evaluate("link => link.removeAttribute('target')")  # a download of another window would be lost here
        with page.expect_download() as waiting:
            link.click()
        target = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(target)
        assert pl.read_parquet(target).height == figures(store).rows["Positions"]
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Manifest", exact=True).click()
        waiting.value.save_as(tmp_path / "manifest.json")
        assert json.loads((tmp_path / "manifest.json").read_text())["file"] == target.name
        [asked] = visiting.complaints
        assert asked.startswith(f"left here:  {office.url}/api/reports/exports/"), "the service gives out the file"


def test_a_link_opens_its_snapshot_and_staff_see_nothing(
    browser: Browser, dashboard: Dashboard, office: Service
) -> None:
    older = Lake(office.settings.lake).freezes()[-1]
    with visit(browser, dashboard.url, Look()) as visiting:
        page = visiting.sign_in(*person(office, "auditor"), path=f"/?snapshot={older.snapshot_id}").page
        expect(page.locator("code", has_text=older.snapshot_id)).to_be_visible()
        expect(visiting.metric("Lines counted")).to_have_text("185 / 596")
    with visit(browser, dashboard.url, Look()) as visiting:
        page = visiting.page
        page.goto(f"{dashboard.url}/snapshots?snapshot={older.snapshot_id}")
        page.get_by_label("User name").fill(person(office, "staff")[0])
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Counting happens on a device")).to_be_visible(timeout=PATIENCE)
        assert older.snapshot_id not in page.inner_text("body")


def test_take_snapshot_now_shows_what_was_counted_since(
    browser: Browser, dashboard: Dashboard, office: Service, store: "Database[Document]"
) -> None:
    with working(office), visit(browser, dashboard.url, Look()) as visiting:
        page = visiting.sign_in(*person(office, "supervisor")).page
        before = page.url
        store[Collection.RECORDS].insert_one(record("c-late", "W-11", "late-item", 5.0, floor="Warehouse"))
        page.get_by_role("button", name="Take snapshot now").click()
        page.wait_for_url(lambda url: url != before, timeout=PATIENCE)
        visiting.settle()
        for label, value in figures(store).tiles.items():
            expect(visiting.metric(label)).to_have_text(value)
        assert visiting.complaints == []


def test_a_question_is_put_together_shared_saved_kept_and_exported(
    browser: Browser, dashboard: Dashboard, office: Service, store: "Database[Document]", tmp_path: Path
) -> None:
    with working(office), visit(browser, dashboard.url, Look(shots=tmp_path)) as visiting:
        page = visiting.sign_in(*person(office, "supervisor"), path="/explore").page
        explore.put_together(visiting)
        link = explore.shared(visiting)
        with visit(browser, dashboard.url, Look(TABLET, "dark", tmp_path)) as other:
            other.sign_in(*person(office, "auditor"), path=link.removeprefix(dashboard.url))
            explore.is_shown(other)
            assert other.complaints == []
        explore.save(visiting, "Loss by category")
        before = page.url
        explore.keep(visiting, "Loss today")
        page.wait_for_url(lambda url: url != before, timeout=PATIENCE)
        assert visiting.complaints == []
        [report] = office.admin.get("/api/reports/snapshots/?snapshot_type=custom").json()
        assert (report["name"], report["pinned"]) == ("Loss today", True)
        explore.is_shown(visiting)
        rows = pl.read_parquet(explore.downloaded(visiting, "parquet", tmp_path))
    assert rows.height == report["row_count"]
    assert amount(rows["loss_sum"].sum(), "value") == figures(store).tiles["Net variance, value"]
    assert [saved["name"] for saved in office.admin.get("/api/reports/queries").json()] == ["Loss by category"]
