"""A report by mail as a supervisor meets it, in real Chromium: made, looked at, tried out, found in the outbox, paused.
And a hostile letter, in which nothing may run."""

import email
import sys
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, expect
from pymongo import MongoClient
from pymongo.database import Database

from analytics.lake import Lake
from jobs.mail.letter import Letter, keep
from jobs.mail.outbox import Outbox
from stockverify.clients import Document, database
from stockverify.services.child import Child, Spec
from stockverify.services.embedded import Backends
from stockverify.settings import to_env
from stockverify.vocabulary import DeliveryKind
from tests.dashboard.pages import DESKTOP, PATIENCE, TABLET, Look, chromium, visit
from tests.dashboard.running import Dashboard, running_dashboard
from tests.dashboard.stock import two_snapshots
from tests.ingest.mails import NOW
from tests.service import PASSWORD, Service, running_service

pytestmark = [pytest.mark.browser, pytest.mark.alone]
ADDRESS = "boss@shop.example"
HOSTILE = """<h1>Report</h1>
<script>top.hacked = 1; parent.hacked = 1; document.title = "hacked"</script>
<img src="EVIL/pixel.png" onerror="top.hacked = 2">
<svg onload="top.hacked = 3"></svg><iframe srcdoc="<script>top.hacked = 4</script>"></iframe>
<link rel="stylesheet" href="EVIL/a.css"><meta http-equiv="refresh" content="0;url=EVIL/">
<form action="EVIL/"><button id="send">Send</button></form>
<a id="away" href="EVIL/" target="_top">away</a></iframe><script>top.hacked = 5</script>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def office(embedded: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with a lake and an outbox of its own."""
    folder = tmp_path_factory.mktemp("mails")
    changes = {"mongodb_database": "mails", "data_dir": folder, "time_zone": "Europe/Berlin"}
    with running_service(msgspec.structs.replace(embedded.settings, **changes)) as started:
        yield started


@pytest.fixture(scope="module")
def store(office: Service, mongo: "MongoClient[Document]") -> "Database[Document]":
    """Its database, with two snapshots taken."""
    found = database(mongo, office.settings)
    two_snapshots(found, Lake(office.settings.lake))
    return found


@pytest.fixture(scope="module")
def dashboard(office: Service, store: "Database[Document]") -> Iterator[Dashboard]:
    """The dashboard beside it; at the end its log must hold no error."""
    with running_dashboard(office.settings) as started:
        yield started
        log = started.log()
    assert not [line for line in log.splitlines() if "Traceback" in line or "rror" in line], log


@pytest.fixture
def worker(office: Service, store: "Database[Document]") -> Iterator[None]:
    """A worker, who writes and sends."""
    log = office.settings.data_dir / "logs" / "worker.log"
    child = Child(Spec("worker", (sys.executable, "-m", "jobs"), log, to_env(office.settings)))
    yield
    child.stop()


def supervisor(office: Service) -> str:
    """The name of a new supervisor with an address."""
    name = str(office.person("supervisor").get("/api/auth/me").json()["username"])
    office.admin.patch(f"/api/auth/users/{name}", json={"email": ADDRESS}).raise_for_status()
    return name


def mail_in(folder: Path) -> EmailMessage:
    """The one mail in the outbox folder."""
    (path,) = folder.glob("*.eml")
    found = email.message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(found, EmailMessage)
    return found


def test_a_report_is_made_looked_at_tried_out_and_paused(
    browser: Browser, dashboard: Dashboard, office: Service, worker: None
) -> None:
    with visit(browser, dashboard.url, Look(DESKTOP, "light")) as visiting:
        page = visiting.sign_in(supervisor(office), PASSWORD, path="/schedules").page
        page.get_by_role("button", name="New schedule").click()
        page.get_by_label("Name", exact=True).fill("Morning figures")
        page.get_by_role("textbox", name="To whom").fill("manager@shop.example")
        page.get_by_role("button", name="CSV").click()
        visiting.settle()
        page.get_by_role("button", name="Save and start").click()
        expect(page.get_by_role("heading", name="Schedule made")).to_be_visible(timeout=PATIENCE)
        visiting.settle()

        page.get_by_role("button", name="Preview", exact=True).click()
        expect(page.get_by_role("heading", name="Preview written")).to_be_visible(timeout=PATIENCE)
        mail = page.frame_locator("iframe[title='The mail']").frame_locator("iframe")
        expect(mail.get_by_role("heading", name="Morning figures")).to_be_visible(timeout=PATIENCE)
        assert not list(office.settings.outbox.glob("*.eml")), "a preview is sent to nobody"
        page.get_by_role("button", name="Close").click()
        visiting.settle()

        page.get_by_role("button", name="Send a test to me").click()
        expect(page.get_by_role("heading", name="Test sent to your address")).to_be_visible(timeout=PATIENCE)
        page.get_by_role("radiogroup", name="Part").get_by_text("Runs").click()
        visiting.settle()
        page.get_by_role("link", name="Its mails").click()
        expect(page.get_by_text("All 1 shown")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text(ADDRESS).first).to_be_visible()
        for _ in range(30):
            if list(office.settings.outbox.glob("*.eml")):
                break
            page.wait_for_timeout(500)
        sent = mail_in(office.settings.outbox)
        assert sent["To"] == ADDRESS
        assert "Morning figures" in sent["Subject"]
        page.get_by_role("button", name="Refresh").click()
        expect(page.get_by_test_id("stMarkdown").get_by_text("Sent", exact=True)).to_be_visible(timeout=PATIENCE)
        page.get_by_role("radiogroup", name="Part").get_by_text("Files").click()
        visiting.settle()
        (attached,) = sent.iter_attachments()
        with page.expect_download() as waiting:
            page.get_by_role("button", name=f"Download {attached.get_filename()}").click()
        assert waiting.value.path().read_bytes() == attached.get_payload(decode=True)

        visiting.open("Schedules")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("heading", name="Paused")).to_be_visible(timeout=PATIENCE)
        visiting.settle()
        assert visiting.complaints == []
    (found,) = [each for each in office.admin.get("/api/reports/schedules").json() if each["name"] == "Morning figures"]
    assert (found["state"], found["cron"], found["zone"]) == ("paused", "0 7 * * *", "Europe/Berlin")


class Evil:
    """A server that a hostile letter would like to reach; it notes what is asked of it."""

    def __init__(self) -> None:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_error(404)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.asked = asked
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def evil() -> Iterator[Evil]:
    """That server, until the end of the test."""
    found = Evil()
    yield found
    found.server.shutdown()
    found.server.server_close()


def hostile_mail(office: Service, store: "Database[dict[str, Any]]", evil: Evil) -> str:
    """The id of a mail with a letter that nobody should trust."""
    html = HOSTILE.replace("EVIL", evil.url)
    letter = Letter(subject="<script>top.hacked = 6</script>", text="Text.", html=html, as_of=NOW)
    keep(office.settings.mails, "run-hostile", letter, {})
    run = {"_id": "run-hostile", "schedule_id": None, "schedule": {}}
    Outbox(store, office.settings.mails).put("run-hostile", letter, ["a@shop.example"], DeliveryKind.REPORT, run, NOW)
    row = store["report_deliveries"].find_one({"run_id": "run-hostile"})
    return str(row["_id"]) if row else ""


def test_nothing_in_a_hostile_letter_runs_or_leaves(
    browser: Browser, dashboard: Dashboard, office: Service, store: "Database[dict[str, Any]]", evil: Evil
) -> None:
    delivery_id = hostile_mail(office, store, evil)
    with visit(browser, dashboard.url, Look(TABLET, "dark")) as visiting:
        auditor = str(office.person("auditor").get("/api/auth/me").json()["username"])
        page = visiting.sign_in(auditor, PASSWORD, path=f"/deliveries?mail={delivery_id}").page
        letter = page.frame_locator("iframe[title='The mail']").frame_locator("iframe[sandbox]")
        expect(letter.get_by_role("heading", name="Report")).to_be_visible(timeout=PATIENCE)
        letter.locator("#send").click()
        letter.locator("#away").click()
        page.wait_for_timeout(1500)
        assert page.evaluate("window.hacked") is None
        assert page.title().startswith("Deliveries")
        assert page.url.startswith(dashboard.url)
        expect(letter.get_by_role("heading", name="Report")).to_be_visible()
        assert any("Blocked script execution" in said for said in visiting.complaints), visiting.complaints
    assert evil.asked == []
