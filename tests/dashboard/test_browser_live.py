"""Live pages as people meet them, in real Chromium: settling a conflict, watching a rack being claimed, and looking at
what was flagged."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Locator, expect
from pymongo.database import Database

from jobs.flags import FlagStore
from stockverify.clients import Document
from tests.dashboard.conftest import Stocked
from tests.dashboard.pages import DESKTOP, PATIENCE, TABLET, Look, looks, visit
from tests.dashboard.running import Dashboard, running_dashboard, watched
from tests.ingest import settling
from tests.ingest.test_flags import completed, row
from tests.service import PASSWORD, Service, claim, record, sync

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def dashboard(stocked: Stocked, service: Service) -> Iterator[Dashboard]:
    """A dashboard over the service of the suite; what both write meanwhile must be clean."""
    [process] = service.children
    with watched(process.spec.log), running_dashboard(stocked.settings) as started:
        yield started


def person(service: Service, role: str) -> tuple[str, str]:
    """Name and password of a new user."""
    return str(service.person(role).get("/api/auth/me").json()["username"]), PASSWORD


@pytest.mark.parametrize("look", looks(DESKTOP, "light"))
def test_a_supervisor_settles_a_conflict_with_the_keyboard(
    browser: Browser, dashboard: Dashboard, service: Service, look: Look
) -> None:
    scene = settling.concurrent_edit(service)
    with visit(browser, dashboard.url, look) as visiting:
        login = person(service, "supervisor")
        page = visiting.sign_in(*login, path=f"/conflicts?conflict={scene.conflict_id}").page
        expect(page.locator("strong", has_text="Counted twice at once")).to_be_visible()
        page.get_by_role("radiogroup", name="Resolution").get_by_text("Take the device's version").click()
        visiting.settle()
        page.get_by_placeholder("Why, for the audit log").last.fill("Recounted by hand")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("heading", name="Settled")).to_be_visible(timeout=PATIENCE)
        visiting.settle()
        assert scene.conflict_id not in page.url
        assert visiting.complaints == []
    found = service.admin.get(f"/api/sync/conflicts/{scene.conflict_id}").json()["data"]
    assert (found["resolution"], found["resolution_note"]) == ("accept_local", "Recounted by hand")
    assert found["resolved_by"] == login[0]


@pytest.mark.parametrize("look", looks(TABLET, "dark"))
def test_a_rack_is_seen_being_claimed_without_a_reload(
    browser: Browser, dashboard: Dashboard, service: Service, look: Look
) -> None:
    staff, rack = service.person(), service.rack()
    with visit(browser, dashboard.url, look) as visiting:
        page = visiting.sign_in(*person(service, "supervisor"), path="/floor").page
        reason = page.get_by_placeholder("Why, for the audit log")
        reason.fill("half a rea")
        before = int(visiting.metric("Claimed").inner_text())
        grant = claim(staff, rack)
        expect(visiting.metric("Claimed")).to_have_text(str(before + 1), timeout=PATIENCE)
        counted = int(visiting.metric("Being counted").inner_text())
        sync(staff, record(grant, f"{rack}-1"))
        expect(visiting.metric("Being counted")).to_have_text(str(counted + 1), timeout=PATIENCE)
        expect(reason).to_have_value("half a rea")
        assert visiting.complaints == []


def seen(what: Locator) -> None:
    """It comes in sight, however busy the machine is."""
    expect(what).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize("look", looks(TABLET, "dark"))
def test_a_flag_is_looked_at_counted_again_and_another_one_dismissed(
    browser: Browser, dashboard: Dashboard, service: Service, stocked: Stocked, stored: "Database[Document]", look: Look
) -> None:
    name, rack = service.rack("flagged"), completed(service)
    line = stocked.database["verification_records"].find_one({"status": "finalized"}) or {}
    proof = [[line["rack_id"], line["bin"], line["item_code"]]]
    severe = row(f"{name}-1", severity=0.9, why="The severe one.", racks=[rack], counters=[name], proof=proof)
    mild = row(f"{name}-2", severity=0.5, why="The mild one.", racks=[rack], counters=[name], proof=proof)
    FlagStore(stored).keep([severe, mild], stocked.newer.snapshot_id, datetime.now(UTC))
    with visit(browser, dashboard.url, look) as visiting:
        page = visiting.sign_in(*person(service, "supervisor"), path="/anomalies").page
        page.get_by_label("Counted by").fill(name)
        page.keyboard.press("Enter")
        seen(page.get_by_text("All 2 shown, the most severe first."))
        said = page.get_by_test_id("stMarkdown")
        seen(said.get_by_text("The severe one."))
        visiting.settle()  # the table may still be the one of the filter before
        page.get_by_test_id("stDataFrame").first.click(position={"x": 16, "y": 80})
        seen(said.get_by_text("The mild one."))
        page.keyboard.press("Alt+ArrowUp")
        seen(said.get_by_text("The severe one."))
        visiting.settle()  # the form is drawn after the sentence
        seen(page.get_by_text("The row that proves it, as of"))
        page.get_by_placeholder("Why again, for the audit log").fill("Looks like a typo")
        page.get_by_role("button", name="Ask for a recount").click()
        seen(page.get_by_role("heading", name="Recount asked for"))
        seen(page.get_by_text(f"{rack}: to be recounted"))
        page.get_by_role("button", name="Next").click()
        seen(said.get_by_text("The mild one."))
        visiting.settle()
        page.get_by_placeholder("Why it needs no look").fill("A pallet on the move")
        page.get_by_role("button", name="Dismiss", exact=True).click()
        seen(page.get_by_text("All 1 shown, the most severe first."))
        seen(said.get_by_text("The severe one."))
        page.get_by_role("link", name="Open this line").click()
        seen(page.get_by_text("Showing rows 1 to 1 of 1."))
        visiting.settle()
        assert visiting.complaints == []
    assert service.admin.get(f"/api/racks/{rack}/status").json()["status"] == "reverify_requested"
    dismissed = service.admin.get(f"/api/reports/flags/{name}-2").json()["dismissed"]
    assert dismissed["note"] == "A pallet on the move"
