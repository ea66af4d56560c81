"""A report as mail programs take it apart: strictly, and without anything that relays may break."""

import email
import re
from collections.abc import Iterator
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest

from jobs.mail.message import made
from jobs.reports.report import report
from stockverify import letters
from stockverify.vocabulary import Collection
from tests.jobs.mail.servers import STRICT
from tests.jobs.reports.conftest import HOSTILE, NOW, House, MakeRun, about, after

LINK = "https://api.example/api/reports/unsubscribe/" + "t" * 400
LONGEST_LINE = 998
"""RFC 5322, without the line end."""
VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})


class Nesting(HTMLParser):
    """Fails at an element that is not closed, or closed by another's tag."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """It must be closed, unless it cannot be."""
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """The one that was opened last."""
        assert self.open.pop() == tag, self.getpos()


def parts(message: EmailMessage) -> Iterator[tuple[str, str | None]]:
    for part in message.walk():
        yield part.get_content_type(), part.get_filename()


@pytest.mark.parametrize("subject", ["summary", "comparison"])
def test_a_report_is_a_mail_without_any_defect(house: House, make_run: MakeRun, subject: str) -> None:
    formats = ["html", "csv", "pdf"]
    run = make_run({**about(subject), **after(house.older), "name": HOSTILE, "formats": formats})
    report(house.tools, run, NOW)
    row = house.tools.database[Collection.DELIVERIES].find_one({"run_id": run["_id"]}) or {}
    settled = row | {"mail": {"from": "Stock <stock@shop.example>", "link": LINK}}
    root, letter = house.settings.mails, letters.words(house.settings.mails, run["_id"])
    content = made(settled, letter, lambda each: letters.content(root, run["_id"], each)).content

    lines = content.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert (content.isascii(), max(map(len, lines)) <= LONGEST_LINE) == (True, True)
    message = email.message_from_bytes(content, policy=STRICT)
    assert isinstance(message, EmailMessage)
    kinds = [kind for kind, name in parts(message) if not (name or "").endswith(".png")]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "text/csv",
        "application/json",  # the manifest of the CSV
        "application/pdf",
    ]
    page, text = message.get_body(("html",)), message.get_body(("plain",))
    assert page is not None
    assert text is not None
    assert LINK in text.get_content()
    html = page.get_content()
    nesting = Nesting()
    nesting.feed(html)
    nesting.close()
    assert (nesting.open, "<script>" in html) == ([], False)
    shown = {str(part["Content-ID"]).strip("<>") for part in message.walk() if part["Content-ID"]}
    assert shown == set(re.findall(r'src="cid:([^"]+)"', html))
    assert (len(message["Bcc"] or ""), "\n" in message["Subject"]) == (0, False)
