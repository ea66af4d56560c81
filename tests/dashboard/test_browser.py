"""The dashboard as people meet it: real Chromium, dashboard, service, worker, MongoDB and Parquet."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Browser, expect
from pymongo.database import Database

from analytics.glance.numbers import amount
from analytics.lake import Lake
from stockverify.clients import Document
from stockverify.environment import to_env
from stockverify.services.child import Child, Spec
from stockverify.vocabulary import Collection
from tests.analytics.stock import record
from tests.dashboard import explore, variance
from tests.dashboard.expected import figures
from tests.dashboard.pages import PATIENCE, TABLET, Look, check_every_page, downloaded, looks, visit
from tests.dashboard.running import Dashboard
from tests.dashboard.stock import HOSTILE_RACK
from tests.service import PASSWORD, Service

pytestmark = pytest.mark.browser


@contextmanager
def working(branch: Service) -> Iterator[None]:
    """A worker for a while."""
    log = branch.settings.data_dir / "logs" / "worker.log"
    worker = Child(Spec("worker", (sys.executable, "-m", "jobs"), log, to_env(branch.settings)))
    try:
        yield
    finally:
        worker.stop()


def person(branch: Service, role: str) -> tuple[str, str]:
    """Name and password of a new user."""
    return str(branch.person(role).get("/api/auth/me").json()["username"]), PASSWORD


@pytest.mark.faults
def test_every_page_shows_the_figures_of_mongodb(
    browser: Browser, dashboard: Dashboard, branch: Service, store: "Database[Document]"
) -> None:
    """All pages on a tablet in the dark. Each run of the suite opens those of the demo (test_demo_in_browser.py)."""
    check_every_page(browser, dashboard.url, person(branch, "supervisor"), figures(store), Look(TABLET, "dark"))


@pytest.mark.parametrize("look", looks(TABLET, "dark"))
def test_a_variance_is_found_compared_exported_and_opened(
    browser: Browser, dashboard: Dashboard, branch: Service, store: "Database[Document]", tmp_path: Path, look: Look
) -> None:
    moved = variance.move_on(Lake(branch.settings.lake), store)
    with visit(browser, dashboard.url, look) as visiting:
        visiting.sign_in(*person(branch, "supervisor"))
        variance.see_what_is_not_in_the_book(visiting, moved)
        variance.compare_with_the_one_before(visiting)
        exported = variance.take_it_along(visiting, tmp_path)
        [asked] = visiting.complaints
        assert asked.startswith(f"left here:  {branch.url}/api/reports/exports/"), "the service gives out the file"
    assert exported == {("added", moved.found, None), ("changed", moved.largest, 5)}


def test_hostile_names_stay_text(browser: Browser, dashboard: Dashboard, branch: Service) -> None:
    with visit(browser, dashboard.url, Look()) as visiting:
        page = visiting.sign_in(*person(branch, "auditor")).page
        expect(page.get_by_text(HOSTILE_RACK[:4]).first).to_be_attached()
        assert page.locator("main script, a[href*='example.com']").count() == 0
        assert visiting.complaints == []


def test_a_download_is_the_exported_file(
    browser: Browser, dashboard: Dashboard, branch: Service, store: "Database[Document]", tmp_path: Path
) -> None:
    with visit(browser, dashboard.url, Look()) as visiting:
        page = visiting.sign_in(*person(branch, "auditor"), path="/export").page
        target = downloaded(visiting, "parquet", tmp_path)
        assert pl.read_parquet(target).height == figures(store).rows["Positions"]
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Manifest", exact=True).click()
        waiting.value.save_as(tmp_path / "manifest.json")
        assert json.loads((tmp_path / "manifest.json").read_text())["file"] == target.name
        [asked] = visiting.complaints
        assert asked.startswith(f"left here:  {branch.url}/api/reports/exports/"), "the service gives out the file"


def test_a_link_opens_its_snapshot_and_staff_see_nothing(
    browser: Browser, dashboard: Dashboard, branch: Service
) -> None:
    older = Lake(branch.settings.lake).freezes()[-1]
    with visit(browser, dashboard.url, Look()) as visiting:
        page = visiting.sign_in(*person(branch, "auditor"), path=f"/?snapshot={older.snapshot_id}").page
        expect(page.locator("code", has_text=older.snapshot_id)).to_be_visible()
        expect(visiting.metric("Lines counted")).to_have_text("185 / 596")
    with visit(browser, dashboard.url, Look()) as visiting:
        page = visiting.page
        page.goto(f"{dashboard.url}/snapshots?snapshot={older.snapshot_id}")
        page.get_by_label("User name").fill(person(branch, "staff")[0])
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Counting happens on a device")).to_be_visible(timeout=PATIENCE)
        assert older.snapshot_id not in page.inner_text("body")


def test_take_snapshot_now_shows_what_was_counted_since(
    browser: Browser, dashboard: Dashboard, branch: Service, store: "Database[Document]"
) -> None:
    with working(branch), visit(browser, dashboard.url, Look()) as visiting:
        page = visiting.sign_in(*person(branch, "supervisor")).page
        before = page.url
        store[Collection.RECORDS].insert_one(record("c-late", "W-11", "late-item", 5.0, floor="Warehouse"))
        page.get_by_role("button", name="Take snapshot now").click()
        page.wait_for_url(lambda url: url != before, timeout=PATIENCE)
        visiting.settle()
        for label, value in figures(store).tiles.items():
            expect(visiting.metric(label)).to_have_text(value)
        assert visiting.complaints == []


def test_a_question_is_put_together_shared_saved_kept_and_exported(
    browser: Browser, dashboard: Dashboard, branch: Service, store: "Database[Document]", tmp_path: Path
) -> None:
    with working(branch), visit(browser, dashboard.url, Look()) as visiting:
        page = visiting.sign_in(*person(branch, "supervisor"), path="/explore").page
        explore.put_together(visiting)
        link = explore.shared(visiting)
        with visit(browser, dashboard.url, Look(TABLET, "dark")) as other:
            other.sign_in(*person(branch, "auditor"), path=link.removeprefix(dashboard.url))
            explore.is_shown(other)
            assert other.complaints == []
        explore.save(visiting, "Loss by category")
        before = page.url
        explore.keep(visiting, "Loss today")
        page.wait_for_url(lambda url: url != before, timeout=PATIENCE)
        assert visiting.complaints == []
        [report] = branch.admin.get("/api/reports/snapshots/?snapshot_type=custom").json()
        assert (report["name"], report["pinned"]) == ("Loss today", True)
        explore.is_shown(visiting)
        rows = pl.read_parquet(downloaded(visiting, "parquet", tmp_path))
    assert rows.height == report["row_count"]
    assert amount(rows["loss_sum"].sum(), "value") == figures(store).tiles["Net variance, value"]
    assert [saved["name"] for saved in branch.admin.get("/api/reports/queries").json()] == ["Loss by category"]
