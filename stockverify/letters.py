"""Letters: everything of a mail but its recipient, kept in a folder each. The worker writes them, once; it sends them,
and the service shows them, as they were written."""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import msgspec

from stockverify.errors import Gone

UNSUBSCRIBE = "https://unsubscribe.invalid/"
"""Stands in the text for the link with which its recipient can unsubscribe; the sender puts the real one there."""
WORDS = "letter.json"
_LONGEST_NAME = 150


class LetterGone(Gone):
    """The letter of this mail is not there any more: letters are kept for MAIL_KEEP_DAYS."""


class LetterDamaged(Gone):
    """The letter of this mail is damaged: {what} is not what was written."""


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


def folder(root: Path, letter_id: str) -> Path:
    """Where a letter lies. Different ids have different folders, and none leads out of the root."""
    name = quote(letter_id, safe="@").replace(".", "%2E")
    if len(name) > _LONGEST_NAME:
        name = f"{name[:100]}-{hashlib.sha256(letter_id.encode()).hexdigest()[:32]}"
    return root / name


def opened(root: Path, letter_id: str) -> Letter:
    """A letter, once all its files were found to be what was written. Raises LetterGone or LetterDamaged."""
    letter = words(root, letter_id)
    for each in (*letter.images, *letter.attachments):
        content(root, letter_id, each)
    return letter


def words(root: Path, letter_id: str) -> Letter:
    """A letter without a look at its files. Raises LetterGone or LetterDamaged."""
    try:
        return msgspec.json.decode((folder(root, letter_id) / WORDS).read_bytes(), type=Letter)
    except FileNotFoundError:
        raise LetterGone() from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise LetterDamaged(what=WORDS) from None


def content(root: Path, letter_id: str, enclosure: Enclosure) -> bytes:
    """What a file of a letter holds. Raises LetterGone or LetterDamaged."""
    try:
        found = (folder(root, letter_id) / enclosure.name).read_bytes()
    except FileNotFoundError:
        raise LetterGone() from None
    if hashlib.sha256(found).hexdigest() != enclosure.sha256:
        raise LetterDamaged(what=enclosure.name)
    return found


def to_look_at(root: Path, letter_id: str) -> str:
    """The HTML of a letter for a browser: its images are within it, and its link to unsubscribe leads nowhere, because
    it would unsubscribe somebody else. Raises LetterGone or LetterDamaged."""
    letter = words(root, letter_id)
    inlined = {each.name: _data_address(each, content(root, letter_id, each)) for each in letter.images}
    return with_images(letter.html, inlined).replace(UNSUBSCRIBE, "#")


def _data_address(image: Enclosure, data: bytes) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(data).decode()}"


def with_images(html: str, addresses: Mapping[str, str]) -> str:
    """The HTML with each image under another address, by the name it has in the letter."""
    return re.sub(r"""cid:([^"'\s)<>]+)""", lambda found: addresses.get(found[1], found[0]), html)
