"""Mails in real Chromium: narrow and wide, light and dark, on their own without network or scripts."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from ingest.pages import sorry
from ingest.subscriptions.rules import page as unsubscribing
from jobs.mail.notices import notice
from jobs.reports.report import report
from stockverify.letters import Letter, folder, opened
from stockverify.unsubscribe import Subscription
from tests.dashboard.pages import chromium
from tests.jobs.reports.conftest import HOSTILE, LATE, NOW, House, MakeRun, about, after, only_when

pytestmark = pytest.mark.browser
WIDTHS = (360, 800)
SHOTS = os.environ.get("STOCKVERIFY_MAIL_SHOTS")
"""A folder for pictures of all mails, for whoever changes their look."""
READABLE = 4.5
"""WCAG 2.1, level AA, for small text."""

_CONTRAST = """
() => {
  const parse = text => [...text.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
  const channel = c => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const found = parse(getComputedStyle(e).backgroundColor);
      if (found[3] > 0) return found;
    }
    return [255, 255, 255, 1];
  };
  const weak = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, words = walker.currentNode.textContent.trim();
    const box = element.getBoundingClientRect();
    if (!words || !box.width || !element.checkVisibility({opacityProperty: true})) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < LIMIT) weak.push(`${ratio.toFixed(2)} ${words.slice(0, 40)}`);
  }
  return weak;
}
""".replace("LIMIT", str(READABLE))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with chromium() as found:
        yield found


MAILS = {
    "summary": {**about("summary"), "name": HOSTILE, "formats": ["html", "csv", "xlsx", "json", "pdf"]},
    "query": {
        **about("template", ref="rack_summary"),
        "name": "Racks",
        "formats": ["html", "csv"],
        "max_attachment_bytes": 1024,
    },
    "change": {**about("comparison"), "name": "What is new"},
    "alarm": {**about("snapshot"), **only_when("figure", "accuracy", "lt", 0.99), "name": "Accuracy watch"},
}


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_fits_and_can_be_read(
    house: House, make_run: MakeRun, browser: Browser, name: str, tmp_path: Path
) -> None:
    late = LATE if name == "query" else {}
    run = make_run({**after(house.older), **MAILS[name]}, **late)
    report(house.tools, run, NOW)
    letter = opened(house.settings.mails, run["_id"])
    can_be_read(standalone(letter, folder(house.settings.mails, run["_id"])), browser, name, tmp_path)


SUBSCRIBED = Subscription("sch-1", "a.person.with.a.long.name@warehouse.north.shop.example")
PAGES = {
    "notice": notice(f"Failed: {HOSTILE}", f"{'A sentence. ' * 20}\n\nhttps://stock.example/{'x' * 200}\nMore.").html,
    "unsubscribe": unsubscribing({"name": HOSTILE}, SUBSCRIBED, "t"),
    "unsubscribed": unsubscribing({"name": HOSTILE, "unsubscribed": [SUBSCRIBED.address]}, SUBSCRIBED, "t"),
    "sorry": sorry(410, HOSTILE * 5),
}


@pytest.mark.parametrize("name", PAGES)
def test_what_is_around_mails_fits_and_can_be_read(browser: Browser, name: str, tmp_path: Path) -> None:
    can_be_read(PAGES[name], browser, name, tmp_path)


def can_be_read(html: str, browser: Browser, name: str, folder_of_page: Path) -> None:
    """Narrow and wide, light and dark."""
    page_file = folder_of_page / "mail.html"
    page_file.write_text(html, encoding="utf-8")
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
            complaints = watched(page)
            page.goto(page_file.as_uri())
            shoot(page, f"{name}-{width}-{scheme}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(_CONTRAST) == []
            assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
            assert page.locator("script").count() == 0
            assert complaints == []
            page.close()


def standalone(letter: Letter, place: Path) -> str:
    """The page as a mail program shows it: pictures come with the mail."""
    html = letter.html
    for image in letter.images:
        data = base64.b64encode((place / image.name).read_bytes()).decode()
        assert f'src="cid:{image.name}"' in html
        html = html.replace(f"cid:{image.name}", f"data:{image.media_type};base64,{data}")
    assert "cid:" not in html
    return html


def watched(page: Page) -> list[str]:
    """All that the browser complains about, and all that the mail wants from elsewhere."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else complaints.append(asked.url))
    return complaints


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the whole mail."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True, animations="disabled")
