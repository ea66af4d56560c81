"""Links that work without a token, so that they can be mailed: signed, for one file, one person and a limited time.

The service checks them; whoever writes the mail signs them with the same key."""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec

from stockverify.errors import Forbidden, Gone


class LinkWrong(Forbidden):
    """This link is not as it was given out. Copy it whole, or take it anew from GET /api/reports/exports/{job_id}."""


class LinkExpired(Gone):
    """This link has expired and its file is deleted. Export it again, or ask whoever sent it to you."""


class Link(NamedTuple):
    """What a link says: which file of which job, until when (Unix seconds), given to whom."""

    job_id: str
    file: str
    expires: int
    user_id: str


def key_of(secret: str) -> bytes:
    """The key for links alone: a token never passes for a link, nor a link for a token."""
    return hmac.digest(secret.encode(), b"stockverify export links", hashlib.sha256)


def url(link: Link, key: bytes) -> str:
    """The link as a path with its query."""
    query = urlencode({"expires": link.expires, "user": link.user_id, "signature": signature(link, key)})
    return f"/api/reports/exports/{link.job_id}/file?{query}"


def signature(link: Link, key: bytes) -> str:
    """HMAC-SHA256 over all that the link says."""
    said = msgspec.json.encode(link)  # parts that were only put together could be cut apart elsewhere
    return base64.urlsafe_b64encode(hmac.digest(key, said, hashlib.sha256)).decode().rstrip("=")


def check(link: Link, given: str, key: bytes, now: datetime) -> None:
    """Raises LinkWrong for one that was not given out like this, and LinkExpired for one that was, long ago."""
    if not hmac.compare_digest(signature(link, key).encode(), given.encode()):
        raise LinkWrong(job_id=link.job_id[:80])
    if now.timestamp() >= link.expires:
        raise LinkExpired()
