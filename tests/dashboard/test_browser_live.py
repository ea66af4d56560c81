"""Live pages as people meet them, in real Chromium: settling a conflict, and watching a rack being claimed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.dashboard.conftest import Stocked
from tests.dashboard.pages import DESKTOP, PATIENCE, TABLET, Look, chromium, visit
from tests.dashboard.running import Dashboard, running_dashboard
from tests.ingest import settling
from tests.service import PASSWORD, Service, claim, record, sync

pytestmark = pytest.mark.browser
LOOKS = [pytest.param(Look(DESKTOP, "light"), id="desktop"), pytest.param(Look(TABLET, "dark"), id="tablet")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def dashboard(stocked: Stocked) -> Iterator[Dashboard]:
    """A dashboard over the service of the suite; at the end its log must hold no error."""
    with running_dashboard(stocked.settings) as started:
        yield started
        log = started.log()
    assert not [line for line in log.splitlines() if "Traceback" in line or "rror" in line], log


def person(service: Service, role: str) -> tuple[str, str]:
    """Name and password of a new user."""
    return str(service.person(role).get("/api/auth/me").json()["username"]), PASSWORD


@pytest.mark.parametrize("look", LOOKS)
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


@pytest.mark.parametrize("look", LOOKS)
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
