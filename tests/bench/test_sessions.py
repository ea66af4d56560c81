"""Twenty people at once: twenty windows of real Chromium stay open, and each walks through all pages, again and again.

The dashboard's memory must not grow with the rounds. BENCH_SESSIONS (20) and BENCH_ROUNDS (4) say how many.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page, expect

from dashboard.app import _SCREENS
from tests.bench.big_lake import fill
from tests.bench.measured import resident_mib
from tests.dashboard.pages import Look, chromium, visit
from tests.dashboard.running import Dashboard, running_dashboard
from tests.service import PASSWORD, Service

SESSIONS = int(os.environ.get("BENCH_SESSIONS", "20"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "4"))
RECORDS = 20_000
PATIENCE = 300_000
"""Milliseconds: twenty browsers on two cores take their time."""

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def dashboard(pair: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard over a small lake; at the end its log must hold no error."""
    folder: Path = tmp_path_factory.mktemp("sessions")
    settings = msgspec.structs.replace(pair.settings, data_dir=folder)
    fill(settings.lake, RECORDS)
    with running_dashboard(settings) as started:
        yield started
        log = started.log()
    assert "Traceback" not in log, log


def walk(page: Page) -> None:
    """Each page, until its script has run."""
    for title, *_ in _SCREENS:
        page.get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=PATIENCE)
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=PATIENCE)


def test_memory_with_many_people_walking(dashboard: Dashboard, pair: Service) -> None:
    def told(when: str) -> None:
        print(f"  {when}: {resident_mib(dashboard.child.pid):.0f} MiB")

    name = pair.person("admin").get("/api/auth/me").json()["username"]
    print("\n  memory of the dashboard's process")
    told("at its start")
    with chromium() as browser, ExitStack() as windows:
        opened = [windows.enter_context(visit(browser, dashboard.url, Look())) for _ in range(SESSIONS)]
        for visiting in opened:
            visiting.page.set_default_timeout(PATIENCE)
            visiting.sign_in(name, PASSWORD)
        told(f"{SESSIONS} people signed in")
        for number in range(ROUNDS):
            for visiting in opened:
                walk(visiting.page)
            told(f"all have seen all pages, {number + 1} times")
        assert [visiting.complaints for visiting in opened] == [[]] * SESSIONS
    told("their windows are closed")
