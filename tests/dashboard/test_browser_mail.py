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

import pytest
from playwright.sync_api import Browser, expect
from pymongo.database import Database

from jobs.mail.letter import Letter, keep
from jobs.mail.outbox import Outbox
from stockverify.clients import Document
from stockverify.environment import to_env
from stockverify.services.child import Child, Spec
from stockverify.vocabulary import DeliveryKind
from tests.dashboard.pages import DESKTOP, PATIENCE, TABLET, Look, looks, visit
from tests.dashboard.running import Dashboard, clean
from tests.ingest.mails import NOW
from tests.service import PASSWORD, Service

pytestmark = pytest.mark.browser
ADDRESS = "boss@shop.example"
HOSTILE = """<h1>Report</h1>
<script>top.hacked = 1; parent.hacked = 1; document.title = "hacked"</script>
<img src="EVIL/pixel.png" onerror="top.hacked = 2">
<svg onload="top.hacked = 3"></svg><iframe srcdoc="<script>top.hacked = 4</script>"></iframe>
<link rel="stylesheet" href="EVIL/a.css"><meta http-equiv="refresh" content="0;url=EVIL/">
<form action="EVIL/"><button id="send">Send</button></form>
<a id="away" href="EVIL/" target="_top">away</a></iframe><script>top.hacked = 5</script>"""


@pytest.fixture
def worker(branch: Service, store: "Database[Document]") -> Iterator[None]:
    """A worker, who writes and sends."""
    log = branch.settings.data_dir / "logs" / "worker.log"
    child = Child(Spec("worker", (sys.executable, "-m", "jobs"), log, to_env(branch.settings)))
    yield
    child.stop()
    clean(log.read_text())


def supervisor(branch: Service) -> str:
    """The name of a new supervisor with an address."""
    name = str(branch.person("supervisor").get("/api/auth/me").json()["username"])
    branch.admin.patch(f"/api/auth/users/{name}", json={"email": ADDRESS}).raise_for_status()
    return name


def mail_in(folder: Path, *older: Path) -> EmailMessage:
    """The one mail in the outbox folder beside older ones."""
    (path,) = {*folder.glob("*.eml")} - {*older}
    found = email.message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.mark.parametrize("look", looks(DESKTOP, "light"))
def test_a_report_is_made_looked_at_tried_out_and_paused(
    browser: Browser, dashboard: Dashboard, branch: Service, worker: None, look: Look
) -> None:
    name, outbox = f"Morning figures, {look.name}", branch.settings.outbox
    older = list(outbox.glob("*.eml"))
    with visit(browser, dashboard.url, look) as visiting:
        page = visiting.sign_in(supervisor(branch), PASSWORD, path="/schedules").page
        page.get_by_role("button", name="New schedule").click()
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_role("textbox", name="To whom").fill("manager@shop.example")
        page.get_by_role("button", name="CSV").click()
        visiting.settle()
        page.get_by_role("button", name="Save and start").click()
        expect(page.get_by_role("heading", name="Schedule made")).to_be_visible(timeout=PATIENCE)
        visiting.settle()

        page.get_by_role("button", name="Preview", exact=True).click()
        expect(page.get_by_role("heading", name="Preview written")).to_be_visible(timeout=PATIENCE)
        mail = page.frame_locator("iframe[title='The mail']").frame_locator("iframe")
        expect(mail.get_by_role("heading", name=name)).to_be_visible(timeout=PATIENCE)
        assert list(outbox.glob("*.eml")) == older, "a preview is sent to nobody"
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
            if len(list(outbox.glob("*.eml"))) > len(older):
                break
            page.wait_for_timeout(500)
        sent = mail_in(outbox, *older)
        assert sent["To"] == ADDRESS
        assert name in sent["Subject"]
        page.get_by_role("button", name="Refresh").click()
        expect(page.get_by_test_id("stMarkdown").get_by_text("Sent", exact=True)).to_be_visible(timeout=PATIENCE)
        page.get_by_role("radiogroup", name="Part").get_by_text("Files").click()
        visiting.settle()
        attached, _manifest = sent.iter_attachments()
        with page.expect_download() as waiting:
            page.get_by_role("button", name=f"Download {attached.get_filename()}", exact=True).click()
        assert waiting.value.path().read_bytes() == attached.get_payload(decode=True)

        visiting.open("Schedules")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("heading", name="Paused")).to_be_visible(timeout=PATIENCE)
        visiting.settle()
        assert visiting.complaints == []
    (found,) = [each for each in branch.admin.get("/api/reports/schedules").json() if each["name"] == name]
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


def hostile_mail(branch: Service, store: "Database[dict[str, Any]]", evil: Evil) -> str:
    """The id of a mail with a letter that nobody should trust."""
    html = HOSTILE.replace("EVIL", evil.url)
    letter = Letter(subject="<script>top.hacked = 6</script>", text="Text.", html=html, as_of=NOW)
    keep(branch.settings.mails, "run-hostile", letter, {})
    run = {"_id": "run-hostile", "schedule_id": None, "schedule": {}}
    Outbox(store, branch.settings.mails).put("run-hostile", letter, ["a@shop.example"], DeliveryKind.REPORT, run, NOW)
    row = store["report_deliveries"].find_one({"run_id": "run-hostile"})
    return str(row["_id"]) if row else ""


def test_nothing_in_a_hostile_letter_runs_or_leaves(
    browser: Browser, dashboard: Dashboard, branch: Service, store: "Database[dict[str, Any]]", evil: Evil
) -> None:
    delivery_id = hostile_mail(branch, store, evil)
    with visit(browser, dashboard.url, Look(TABLET, "dark")) as visiting:
        auditor = str(branch.person("auditor").get("/api/auth/me").json()["username"])
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
