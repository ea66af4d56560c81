"""Opens every page of a running dashboard in real Chromium and checks what it shows."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

import pytest
from _pytest.mark import ParameterSet
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from dashboard.messages import TITLES, unexpected
from tests.dashboard.expected import Figures

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 120_000
# The usual 5 seconds are not enough beside other tests, least of all for files: what makes them yields to everything.
expect.set_options(timeout=PATIENCE)
_REDRAWN = 500  # milliseconds in which tables and charts have found their new size
_RESTING = "[data-testid=stApp][data-test-script-state=notRunning]"
_NEVER = ("Traceback", *(title for _, title in TITLES), unexpected("").title)
DESKTOP, TABLET = (1440, 900), (1024, 768)
_TALLEST = {"overview": 1180}
"""Pixels of a picture from the top, where it need not be of the whole page: this one opens the README, and ends below
the first charts."""
# Streamlit's browser code finds out by trying whether `/export` is a page or the folder that the app is served from.
_PROBE = re.compile(r"/[a-z]+/_stcore/(health|host-config)$")


class Look(NamedTuple):
    """A screen and its colours; `shots` is the folder for pictures, if any are wanted."""

    size: tuple[int, int] = DESKTOP
    scheme: str = "light"
    shots: Path | None = None

    @property
    def name(self) -> str:
        """As in the names of pictures."""
        return f"{'desktop' if self.size == DESKTOP else 'tablet'}-{self.scheme}"

    def shoot(self, page: Page, name: str) -> None:
        """Keep a picture of the page: the window grows to what there is to scroll, and shrinks again."""
        if not self.shots:
            return
        width, height = self.size
        main = page.get_by_test_id("stMain")
        scrolled = int(main.evaluate("main => main.scrollHeight")) if main.count() else height
        page.mouse.move(0, 0)
        tall = min(scrolled, _TALLEST.get(name, scrolled))
        page.set_viewport_size({"width": width, "height": max(height, tall)})
        page.wait_for_timeout(_REDRAWN)
        page.screenshot(path=self.shots / f"{name}-{self.name}.png", animations="disabled")
        page.set_viewport_size({"width": width, "height": height})


def looks(size: tuple[int, int], scheme: str) -> list[ParameterSet]:
    """For a way that people go: the look in which each run of the suite goes it, and the others, which are left to
    `make test-faults`. Half of the ways are gone on a tablet in the dark, the others at a desk in the light."""
    every = [Look(each, colours) for each in (DESKTOP, TABLET) for colours in ("light", "dark")]
    marks = {each: () if each == Look(size, scheme) else (pytest.mark.faults,) for each in every}
    return [pytest.param(each, id=each.name, marks=marks[each]) for each in every]


class Visit:
    """One signed-in visit, which collects all that the browser complains about."""

    def __init__(self, page: Page, url: str, look: Look) -> None:
        self.page, self.url, self.look = page, url, look
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: self._note("console", said.text, said.type == "error", said.location["url"]))
        page.on("pageerror", lambda error: self._note("page error", str(error)))
        page.on("response", lambda reply: self._note("status", f"{reply.status}", reply.status >= 400, reply.url))
        page.on("request", lambda asked: self._note("left here", "", not asked.url.startswith(_ours(url)), asked.url))

    def sign_in(self, user: str, password: str, path: str = "") -> Self:
        """Fill in the form and wait for the first page."""
        self.page.goto(self.url + path)
        self.page.get_by_label("User name").fill(user)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.look.shoot(self.page, "sign-in")
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_label("User name")).to_have_count(0, timeout=PATIENCE)
        self.settle()
        return self

    def open(self, name: str) -> None:
        """Go to a page by its link in the sidebar and wait until it is complete."""
        self.page.get_by_role("link", name=name, exact=True).click()
        expect(self.page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=PATIENCE)
        self.settle()

    def rest(self) -> None:
        """Wait until the script has run and nothing is drawn anew."""
        self.page.wait_for_timeout(300)
        self.page.wait_for_selector(_RESTING)
        expect(self.page.locator(".st-key-stop_waiting")).to_have_count(0, timeout=PATIENCE)  # then it goes on
        self.page.wait_for_selector(_RESTING)
        expect(self.page.locator("[data-stale=true]")).to_have_count(0, timeout=PATIENCE)

    def settle(self) -> None:
        """The same, and see that nothing broke."""
        self.rest()
        for place in ("stException", "stAlertContentError"):
            expect(self.page.get_by_test_id(place)).to_have_count(0)
        written = self.page.inner_text("body")
        assert not [words for words in _NEVER if words in written], written

    def metric(self, label: str) -> Locator:
        """The value of a tile."""
        tile = self.page.get_by_test_id("stMetric").filter(has=self.page.get_by_text(label, exact=True))
        return tile.get_by_test_id("stMetricValue")

    def _note(self, kind: str, text: str, wrong: bool = True, where: str = "") -> None:
        if wrong and not _PROBE.search(where):
            self.complaints.append(f"{kind}: {text} {where}")


def _no_further(visiting: Visit, name: str) -> None:
    """What is looked at by all is enough."""


def check_every_page(
    browser: Browser,
    url: str,
    login: tuple[str, str],
    expected: Figures,
    look: Look,
    further: Callable[[Visit, str], None] = _no_further,
) -> None:
    """Sign in, open each page, and find the figures of the newest snapshot and no complaint; `further` is what else is
    to be seen on the page of that name."""

    def seen(name: str) -> None:
        further(visiting, name)
        look.shoot(page, name.lower().replace(" ", "-"))

    with visit(browser, url, look) as visiting:
        visiting.sign_in(*login)
        page = visiting.page
        for label, value in expected.tiles.items():
            expect(visiting.metric(label)).to_have_text(value)
        if expected.untouched_racks:
            expect(page.get_by_text(f"{expected.untouched_racks} rack")).to_be_visible()
        snapshot_id = page.url.partition("snapshot=")[2]
        expect(page.locator("code", has_text=snapshot_id)).to_be_visible()
        seen("Overview")

        visiting.open("Snapshots")
        for name, rows in expected.rows.items():
            page.get_by_role("radio", name=name, exact=True).or_(page.get_by_role("button", name=name)).first.click()
            visiting.settle()
            expect(page.get_by_text(f"of {rows:,}.")).to_be_visible()
        seen("Snapshots")

        visiting.open("Explore")
        expect(page.get_by_text(f"of {expected.rows['Positions']:,}.")).to_be_visible()
        seen("Explore")

        visiting.open("Compare")
        expect(page.get_by_text("Totals", exact=True)).to_be_visible()
        seen("Compare")

        visiting.open("Export")
        expect(page.get_by_text(f"{expected.rows['Positions']:,} rows")).to_be_visible()
        page.get_by_role("button", name="Make the file").click()
        expect(page.get_by_role("link", name="Download", exact=True)).to_be_visible(timeout=4 * PATIENCE)
        seen("Export")
        assert f"snapshot={snapshot_id}" in page.url

        for name in ("Live floor", "Conflicts", "Anomalies", "Schedules", "Deliveries", "Import", "Health"):
            visiting.open(name)
            seen(name)
        assert visiting.complaints == []


@contextmanager
def visit(browser: Browser, url: str, look: Look) -> Iterator[Visit]:
    """A browser window of its own, of somebody who has asked for less motion: a quarter of the processor's time of a
    visit was spent on pictures of what moves, and what moves has no settled colours."""
    width, height = look.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=look.scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        accept_downloads=True,
    )
    try:
        yield Visit(context.new_page(), url, look)
    finally:
        context.close()


def downloaded(visiting: Visit, kind: str, folder: Path) -> Path:
    """Have the file made and fetch it."""
    page = visiting.page
    page.get_by_role("radio", name=kind).or_(page.get_by_role("button", name=kind)).first.click()
    visiting.settle()
    page.get_by_role("button", name="Make the file").click()
    link = page.get_by_role("link", name="Download", exact=True)
    expect(link).to_be_visible(timeout=PATIENCE)
    link.evaluate("link => link.removeAttribute('target')")  # a download of another window would be lost here
    with page.expect_download() as waiting:
        link.click()
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(target)
    return target


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. `make test` installs it, which takes root: who has neither runs all other tests all the same.
    With CI=true a machine without it fails."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing; install it with `apt-get install chromium`.")
        pytest.skip("Chromium is missing; install it with `apt-get install chromium` to run the browser tests.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def _ours(url: str) -> tuple[str, ...]:
    return url, url.replace("http://", "ws://"), "data:", "blob:"
