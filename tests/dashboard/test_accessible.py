"""Every page as assistive technology meets it: axe-core in real Chromium, in both themes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.app import _SCREENS
from tests.dashboard.axe import findings
from tests.dashboard.conftest import Stocked
from tests.dashboard.pages import DESKTOP, PATIENCE, Look, Visit, visit
from tests.dashboard.running import running_dashboard, watched
from tests.service import PASSWORD, Service

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def walk(browser: Browser, stocked: Stocked, service: Service) -> Iterator[Visit]:
    """One visit of an admin, who may open every page; at the end neither the browser nor a log has a complaint."""
    name = service.person("admin").get("/api/auth/me").json()["username"]
    [process] = service.children
    with (
        watched(process.spec.log),
        running_dashboard(stocked.settings) as started,
        visit(browser, started.url, Look(DESKTOP, "light")) as found,
    ):
        found.page.goto(started.url)
        expect(found.page.get_by_label("User name")).to_be_visible(timeout=PATIENCE)
        assert findings(found.page) == [], "the form to sign in"
        yield found.sign_in(name, PASSWORD)
        assert found.complaints == []


def in_the_dark(page: Page) -> list[str]:
    """Its colours in the dark, when what is there is the same as in the light."""
    ground = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => {ground} != light", arg=light)
    found = findings(page, only_colours=True)
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"light => {ground} == light", arg=light)
    return found


@pytest.mark.parametrize("title", [title for title, *_ in _SCREENS])
def test_a_page_can_be_read_by_everybody(walk: Visit, title: str) -> None:
    walk.open(title)
    if title == "Health":
        expect(walk.page.get_by_role("heading", name="Audit log")).to_be_visible()
    assert findings(walk.page) == []
    assert in_the_dark(walk.page) == []


def test_the_form_of_a_new_schedule_can_be_read_by_everybody(walk: Visit) -> None:
    walk.open("Schedules")
    walk.page.get_by_role("button", name="New schedule").click()
    expect(walk.page.get_by_label("Name", exact=True)).to_be_visible(timeout=PATIENCE)
    walk.settle()
    assert findings(walk.page) == []
