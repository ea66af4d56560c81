"""Makes the mail of a letter for one recipient: the same bytes each time it is made of the same row."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import NamedTuple, cast

from stockverify.addresses import checked
from stockverify.clients import Document
from stockverify.letters import UNSUBSCRIBE, Enclosure, Letter, with_images
from stockverify.mail_settings import sender_of

_ENDS = re.compile(r"\r\n|\r|\n")
_PLAIN = re.compile(r"[!-~]+")


class Mail(NamedTuple):
    """A mail as it is handed over: the two addresses of its envelope, and its text with CRLF."""

    name: str
    made_at: datetime
    sender: str
    recipient: str
    content: bytes


def made(row: Document, letter: Letter, content: Callable[[Enclosure], bytes]) -> Mail:
    """The mail of a row, whose `mail` holds what was settled at the first attempt: `from`, and the link that stands for
    UNSUBSCRIBE. Raises BadAddress."""
    settled, recipient = row["mail"], checked(row["recipient"])
    message = EmailMessage(policy=SMTP)
    message["From"] = sender = sender_of(settled["from"])
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = _one_line(letter.subject)
    message["Date"] = format_datetime(row["created_at"])
    message["Auto-Submitted"] = "auto-generated"
    _fill(message, row, letter, content)
    for number, part in enumerate(each for each in message.walk() if each.is_multipart()):
        part.set_boundary(f"=_{_digest(row['message_id'])}_{number}")  # an equals sign cannot stand so in any part
    return Mail(row["_id"], row["created_at"], sender.addr_spec, recipient, _long_headers(row) + message.as_bytes())


def _fill(message: EmailMessage, row: Document, letter: Letter, content: Callable[[Enclosure], bytes]) -> None:
    """Text and HTML as alternatives, the HTML with its images, and attachments after both."""
    link = row["mail"]["link"]
    ids = {each.name: f"{number}.{_digest(row['message_id'])}@image" for number, each in enumerate(letter.images)}
    html = with_images(letter.html, {name: f"cid:{found}" for name, found in ids.items()})
    message.set_content(_text(letter.text.replace(UNSUBSCRIBE, link)), cte="quoted-printable")
    message.add_alternative(_text(html.replace(UNSUBSCRIBE, escape(link))), subtype="html", cte="quoted-printable")
    page = cast(EmailMessage, message.get_payload(1))
    for image in letter.images:
        main, _, sub = image.media_type.partition("/")
        page.add_related(content(image), main, sub, cid=f"<{ids[image.name]}>", filename=image.name)
    for each in letter.attachments:
        _attach(message, each, content(each))


def _attach(message: EmailMessage, each: Enclosure, data: bytes) -> None:
    kind, _, charset = each.media_type.partition("; charset=")
    main, _, sub = kind.partition("/")
    params = {"charset": charset} if charset else {}
    message.add_attachment(data, main, sub, filename=each.name, params=params)


def _long_headers(row: Document) -> bytes:
    """Headers of one long word, which the library would tear apart into encoded pieces that no mail program reads."""
    lines = [f"Message-ID: {row['message_id']}"]
    if row["run_id"]:
        lines.append(f"X-StockVerify-Run: {row['run_id']}")
    if row["schedule_id"] and row["run_id"]:
        lines.append(f"List-Unsubscribe: <{row['mail']['link']}>")
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    return "".join(f"{line}\r\n" for line in lines if _PLAIN.fullmatch(line.partition(": ")[2])).encode("ascii")


def _one_line(text: str) -> str:
    """Header lines cannot be forged by line breaks or other control characters in a subject."""
    return printable(text)[:300]


def printable(text: str) -> str:
    """Without what would move a cursor, colour a terminal or end a line."""
    return "".join(each if each.isprintable() else " " for each in text)


def _text(text: str) -> str:
    """A lone surrogate cannot be written as UTF-8."""
    return _ENDS.sub("\n", text).encode("utf-8", "replace").decode()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
