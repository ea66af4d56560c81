"""A letter: everything of a mail but its recipient. It is written once, into a folder of its own, and never edited:
every attempt to send it, to every recipient, sends the same words and the same files."""

from datetime import datetime
from pathlib import Path

import msgspec

UNSUBSCRIBE = "https://unsubscribe.invalid/"
"""Stands in the text for the link with which its recipient can unsubscribe; the sender puts the real one there."""
WORDS = "letter.json"


class Enclosure(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a letter, beside its words: `name` within its folder, and what it should be."""

    name: str
    media_type: str
    sha256: str
    bytes: int


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """`html` refers to an image by `cid:{name}`."""

    subject: str
    text: str
    html: str
    images: tuple[Enclosure, ...] = ()
    attachments: tuple[Enclosure, ...] = ()
    snapshot_id: str | None = None
    as_of: datetime | None = None
    late: bool = False
