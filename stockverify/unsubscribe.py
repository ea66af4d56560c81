"""Links with which a recipient stops the mails of a schedule, without a login. The worker signs them into each mail,
the service checks them. They do not expire: a mail that is found a year later must still be stoppable."""

import base64
import hashlib
import hmac
from typing import NamedTuple

import msgspec

from stockverify.addresses import same
from stockverify.errors import BadInput

PATH = "/api/reports/unsubscribe"


class TokenWrong(BadInput):
    """This link is not as it was mailed. Copy it whole from the mail, or ask the owner of the report."""


class Subscription(NamedTuple):
    """Who gets the mails of which schedule."""

    schedule_id: str
    address: str


def key_of(secret: str) -> bytes:
    """The key for these links alone: no other token passes for one, nor one for another."""
    return hmac.digest(secret.encode(), b"stockverify unsubscribe links", hashlib.sha256)


def token(subscription: Subscription, key: bytes) -> str:
    """What the link holds: what it is for, and an HMAC-SHA256 over that."""
    said = msgspec.json.encode((subscription.schedule_id, same(subscription.address)))
    return f"{_text(said)}.{_text(hmac.digest(key, said, hashlib.sha256))}"


def url(subscription: Subscription, key: bytes, service: str) -> str:
    """The link, at the address by which readers of mails reach the service."""
    return f"{service}{PATH}/{token(subscription, key)}"


def read(given: str, key: bytes) -> Subscription:
    """What a token is for. Raises TokenWrong for one that was not given out."""
    said, _, signature = given.partition(".")
    try:
        content = _bytes(said)
        genuine = hmac.compare_digest(hmac.digest(key, content, hashlib.sha256), _bytes(signature))
    except ValueError:
        genuine = False
    if not genuine:
        raise TokenWrong()
    return Subscription(*msgspec.json.decode(content, type=tuple[str, str]))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
