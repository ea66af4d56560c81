"""Stopping mails by the link in them, without a login."""

import email
import re
import threading
import uuid
from email.message import EmailMessage
from email.policy import default
from typing import Any

import httpx
import msgspec
import pytest
from pymongo.database import Database

from jobs.mail.sender import Sender
from stockverify import unsubscribe
from stockverify.unsubscribe import Subscription, TokenWrong
from tests.ingest.mails import NOW, put, schedule
from tests.service import Service

Stored = Database[dict[str, Any]]


@pytest.fixture
def mine(stored: Stored) -> dict[str, Any]:
    return schedule(stored, uuid.uuid4().hex[:16], "u-somebody")


@pytest.fixture
def link(service: Service, mine) -> str:
    """The link in the mails to Ann."""
    key = unsubscribe.key_of(_secret(service))
    return unsubscribe.url(Subscription(mine["_id"], "Ann@shop.example"), key, service.url)


def _secret(service: Service) -> str:
    return service.settings.secret or (service.settings.data_dir / "secret.key").read_text()


def unsubscribed(stored: Stored, mine) -> list[str]:
    return list(stored["report_schedules"].find_one({"_id": mine["_id"]})["unsubscribed"])  # type: ignore[index]


def test_looking_changes_nothing_and_the_button_does(service: Service, stored: Stored, mine, link: str) -> None:
    ids = put(service, stored, mine, f"{mine['_id']}@1", "ann@shop.example", "bob@shop.example")
    for _ in range(3):
        page = httpx.get(link)
        assert (page.status_code, "Unsubscribe?" in page.text) == (200, True)
        assert "Report &lt;" in page.text
    assert unsubscribed(stored, mine) == []
    for _ in range(2):
        stopped = httpx.post(link)
        assert (stopped.status_code, "You are unsubscribed" in stopped.text) == (200, True)
    assert unsubscribed(stored, mine) == ["ann@shop.example"]
    rows = {row["_id"]: row for row in stored["report_deliveries"].find({"schedule_id": mine["_id"]})}
    assert [rows[each]["state"] for each in ids] == ["cancelled", "queued"]
    assert rows[ids[0]]["log"][-1]["reply"] == "Unsubscribed."
    noted = list(stored["activity_logs"].find({"subject": mine["_id"]}))
    assert [(each["action"], each["username"]) for each in noted] == [("schedule.unsubscribed", "ann@shop.example")]


def test_one_click_of_a_mail_program_is_enough(stored: Stored, mine, link: str) -> None:
    assert httpx.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert httpx.post(link, files={"List-Unsubscribe": (None, "One-Click")}).status_code == 200
    assert unsubscribed(stored, mine) == ["ann@shop.example"]


def test_there_is_a_way_back(stored: Stored, mine, link: str) -> None:
    page = httpx.post(link)
    action = page.text.split('action="')[1].split('"')[0]
    assert httpx.URL(link).join(action) == f"{link}/undo"
    assert "Unsubscribe?" in httpx.post(f"{link}/undo").text
    assert unsubscribed(stored, mine) == []


def test_only_links_that_were_mailed_work(service: Service, stored: Stored, mine, link: str) -> None:
    base, _, token = link.rpartition("/")
    said, _, signature = token.partition(".")
    other = unsubscribe.token(Subscription(mine["_id"], "bob@shop.example"), unsubscribe.key_of("another" * 8))
    for wrong in (said, f"{said}.", f"{said}.AAAA", f"{other.partition('.')[0]}.{signature}", other, "%ff.%00", "é.é"):
        for reply in (httpx.get(f"{base}/{wrong}"), httpx.post(f"{base}/{wrong}"), httpx.post(f"{base}/{wrong}/undo")):
            assert reply.status_code == 400, wrong
    assert unsubscribed(stored, mine) == []


def test_a_schedule_that_is_gone_is_told(stored: Stored, mine, link: str) -> None:
    stored["report_schedules"].delete_one({"_id": mine["_id"]})
    assert [httpx.get(link).status_code, httpx.post(link).status_code] == [410, 410]


def test_people_read_why_a_link_of_a_mail_does_not_work(service: Service, stored: Stored, mine, link: str) -> None:
    """A browser asks for HTML."""
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    stored["report_schedules"].delete_one({"_id": mine["_id"]})
    file = f"{service.url}/api/reports/exports/ex-<b>/file?expires=1&user=u&signature=s"
    for url, status, said in (
        (link, 410, "This report is not sent any more"),
        (f"{link}x", 400, "This link is not as it was mailed"),
        (file, 403, "not as it was given out"),
    ):
        reply = httpx.get(url, headers=browser)
        assert (reply.status_code, reply.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "<h1>This link does not work</h1>" in reply.text
        assert said in reply.text
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert httpx.get(url).headers["content-type"] == "application/problem+json"
    assert httpx.get(f"{service.url}/api/reports/deliveries", headers=browser).json()["status"] == 401


def test_the_page_runs_no_scripts_and_is_not_kept(link: str) -> None:
    headers = httpx.get(link).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert (headers["cache-control"], headers["referrer-policy"]) == ("private, no-store", "no-referrer")


def test_a_token_says_whom_it_is_for_only_to_its_key() -> None:
    subscription = Subscription("sch-1", "ann@shop.example")
    token = unsubscribe.token(Subscription("sch-1", " Ann@Shop.example"), unsubscribe.key_of("k" * 32))
    assert unsubscribe.read(token, unsubscribe.key_of("k" * 32)) == subscription
    with pytest.raises(TokenWrong):
        unsubscribe.read(token, unsubscribe.key_of("l" * 32))


def test_the_link_in_a_mail_that_was_sent_works(service: Service, stored: Stored, mine) -> None:
    """From the outbox into the mail, out of it again, and to the service: the next run has no mail for its reader."""
    reader = f"{mine['_id']}@shop.example"
    put(service, stored, mine, f"{mine['_id']}@1", reader)
    given = msgspec.structs.replace(service.settings, public_api_url=service.url)
    Sender(stored, given, "w", threading.Event()).tick(NOW)
    [row] = stored["report_deliveries"].find({"schedule_id": mine["_id"]})
    assert row["state"] == "sent"
    read = (email.message_from_bytes(path.read_bytes(), policy=default) for path in given.outbox.glob("*.eml"))
    [mail] = [each for each in read if each["To"] == reader]
    assert isinstance(mail, EmailMessage)
    link = mail["List-Unsubscribe"].strip("<>")
    page = mail.get_body(("html",))
    assert page is not None
    assert re.findall('href="([^"]+)"', page.get_content()) == [link]
    stopped = httpx.post(link, data={"List-Unsubscribe": "One-Click"})
    assert (stopped.status_code, unsubscribed(stored, mine)) == (200, [reader])
    assert put(service, stored, mine, f"{mine['_id']}@2", reader) == []
