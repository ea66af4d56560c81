"""Every page as assistive technology meets it: axe-core in real Chromium, in both themes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from playwright.sync_api import Browser, Page, expect

from dashboard.app import _SCREENS
from tests.dashboard.axe import findings
from tests.dashboard.conftest import Stocked
from tests.dashboard.pages import DESKTOP, PATIENCE, Look, Visit, visit
from tests.dashboard.running import running_dashboard, watched
from tests.ingest.lists import csv
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
        found.sign_in(name, PASSWORD)
        # A colour that is on its way from light to dark, or under the pointer, is neither of the two that are judged.
        found.page.add_style_tag(content="* { transition: none !important; }")
        yield found
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


def is_readable(page: Page, state: str) -> None:
    """Nothing grave, in light and in dark."""
    page.mouse.move(0, 0)
    assert findings(page) == [], state
    assert in_the_dark(page) == [], state


def pages() -> Iterator[ParameterSet]:
    """All of them. What a supervisor sees is asked about, filled, in each run of the suite: test_demo_in_browser.py."""
    for title, *_ in _SCREENS:
        yield pytest.param(title, marks=() if title == "Devices and users" else pytest.mark.faults)


@pytest.mark.parametrize("title", [*pages()])
def test_a_page_can_be_read_by_everybody(walk: Visit, title: str) -> None:
    walk.open(title)
    if title == "Health":
        expect(walk.page.get_by_role("heading", name="Audit log")).to_be_visible()
    is_readable(walk.page, title)


def test_the_form_of_a_new_schedule_can_be_read_by_everybody(walk: Visit) -> None:
    walk.open("Schedules")
    walk.page.get_by_role("button", name="New schedule").click()
    expect(walk.page.get_by_label("Name", exact=True)).to_be_visible(timeout=PATIENCE)
    walk.settle()
    assert findings(walk.page) == []


def test_a_dry_run_can_be_read_by_everybody(walk: Visit, service: Service, tmp_path: Path) -> None:
    walk.open("Import")
    rack, list_ = service.rack("AXE"), tmp_path / "list.csv"
    list_.write_bytes(csv(f"{rack},F,A,Bolt,3,0.5", f"{rack},F,B,Nut,many,0.5"))
    walk.page.locator("input[type=file]").set_input_files(list_)
    expect(walk.page.get_by_test_id("stFileChipName")).to_have_text("list.csv")
    walk.page.get_by_role("button", name="Check this list").click()
    expect(walk.metric("Bad rows")).to_have_text("1", timeout=PATIENCE)
    walk.settle()
    is_readable(walk.page, "a dry run with a bad row")


def test_what_opens_and_what_goes_wrong_can_be_read_by_everybody(walk: Visit) -> None:
    walk.open("Explore")
    walk.page.get_by_role("button", name="Save").click()
    expect(walk.page.get_by_label("What it answers")).to_be_visible(timeout=PATIENCE)
    walk.rest()
    is_readable(walk.page, "a form that has opened")
    walk.page.keyboard.press("Escape")
    walk.page.get_by_text("Calculated fields", exact=True).click()
    walk.page.get_by_role("button", name="Add a calculated field").click()
    walk.settle()
    walk.page.get_by_label("Name", exact=True).first.fill("x")
    walk.page.get_by_label("Expression", exact=True).fill("book_qty +")
    walk.page.keyboard.press("Tab")
    expect(walk.page.get_by_text("it ends at character 11")).to_be_visible(timeout=PATIENCE)
    walk.rest()
    is_readable(walk.page, "what is wrong with a formula")
