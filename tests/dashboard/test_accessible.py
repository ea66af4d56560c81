"""Every page as assistive technology meets it: axe-core in real Chromium, in both themes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from dashboard.app import _SCREENS
from tests.dashboard.axe import findings
from tests.dashboard.conftest import Stocked
from tests.dashboard.pages import DESKTOP, Look, Visit, visit
from tests.dashboard.running import running_dashboard
from tests.service import PASSWORD, Service

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def walk(browser: Browser, stocked: Stocked, service: Service) -> Iterator[Visit]:
    """One visit of an admin, who may open every page."""
    name = service.person("admin").get("/api/auth/me").json()["username"]
    with running_dashboard(stocked.settings) as started, visit(browser, started.url, Look(DESKTOP, "light")) as found:
        yield found.sign_in(name, PASSWORD)


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
    assert findings(walk.page) == []
    assert in_the_dark(walk.page) == []
