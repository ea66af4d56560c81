"""The outbox folder: where mails go when there is no mail server. A readable file each, and a page that lists them."""

import re
from collections.abc import Callable
from contextlib import suppress
from email.parser import BytesHeaderParser
from email.policy import default
from html import escape
from pathlib import Path

from analytics.lake import durable
from jobs.mail.message import Mail
from jobs.mail.outcomes import Outcome, Verdict
from jobs.mail.rows import short

INDEX = "index.html"
WRITTEN = "written to outbox folder"
_LISTED = 500
_HEADERS = ("Date", "To", "Subject")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Outbox</title>
<meta name="color-scheme" content="light dark">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 24px; }}
td, th {{ text-align: left; padding: 4px 16px 4px 0; }}
</style></head><body><h1>Outbox</h1>
<p>Mails that StockVerify would send if SMTP_HOST were set; the newest {most} of them. Mail programs open the files.</p>
<table><tr><th>Date</th><th>To</th><th>Subject</th><th>File</th></tr>{rows}</table></body></html>
"""


class Folder:
    """Takes mails as a mail server does. A mail that comes twice is there once."""

    usable = True

    def __init__(self, root: Path) -> None:
        self._root, self._written = root, False

    def deliver(self, mail: Mail, may_hand_over: Callable[[], bool], hold: Callable[[], bool]) -> Outcome:
        """Write a mail into its file, whole or not at all."""
        if not may_hand_over():
            return Outcome(Verdict.YIELDED, "")
        try:
            with durable.replacing(self._root / file_name(mail)) as draft:
                draft.write_bytes(mail.content)
        except OSError as error:
            return Outcome(Verdict.OUTAGE, f"The outbox folder cannot be written: {error.strerror}.")
        self._written = True
        return Outcome(Verdict.ACCEPTED, WRITTEN)

    def close(self) -> None:
        """Make the page anew if there is something new on it. Mails are there without it, too."""
        if self._written:
            with suppress(OSError), durable.replacing(self._root / INDEX) as draft:
                draft.write_text(index(self._root))


def file_name(mail: Mail) -> str:
    """Names begin with times, so that sorted ones are in order; the same mail has the same name each time."""
    to = re.sub(r"[^A-Za-z0-9@.+-]", "_", mail.recipient)[:80]
    return f"{mail.made_at:%Y%m%dT%H%M%SZ}_{to}_{short(mail.name)}.eml"


def index(root: Path) -> str:
    """The page that lists the newest mails of a folder."""
    newest = sorted(root.glob("*.eml"), reverse=True)[:_LISTED]
    return _PAGE.format(most=_LISTED, rows="".join(_row(path) for path in newest))


def _row(path: Path) -> str:
    try:
        with path.open("rb") as file:
            headers = BytesHeaderParser(policy=default).parse(file)
    except FileNotFoundError:  # swept away a moment ago
        return ""
    cells = "".join(f"<td>{escape(str(headers.get(name, '')))}</td>" for name in _HEADERS)
    return f'<tr>{cells}<td><a href="{escape(path.name)}">{escape(path.name)}</a></td></tr>\n'
