"""The audit log's hash chain: every sealed entry carries the hash of the one before it.

An entry is written, unsealed, in the transaction of what it tells of, so that neither exists without the other.
Sealing gives it the next sequence number and its hash a moment later; after that nothing about it changes. A changed,
removed, inserted or reordered entry breaks the chain, and a chain that was cut off at its end no longer holds the head
that was noted before.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from stockverify.vocabulary import Action

NOTHING_BEFORE = "0" * 64
"""What the first entry carries as the hash before it."""

HEAD_FILE = "audit-head.json"
"""The file beside the data in which `stockverify doctor` notes the end of the chain."""

_CONTENT = ("_id", "at", "action", "user_id", "username", "device_id", "subject", "details", "request_id")


class Author(NamedTuple):
    """Who did something. No device is an empty text; programs of the house have no user id."""

    user_id: str
    username: str
    device_id: str = ""


WORKER = Author("", "worker")
COMMAND_LINE = Author("", "command line")


class Head(NamedTuple):
    """The end of a chain: the last sequence number, from 1, and its hash."""

    sequence: int
    hash: str


EMPTY = Head(0, NOTHING_BEFORE)


def unsealed(
    entry_id: str,
    action: Action,
    author: Author,
    subject: str,
    now: datetime,
    details: Mapping[str, Any],
    request_id: str | None = None,
) -> dict[str, Any]:
    """An entry that is not sealed yet. `subject` names what was done something to; `details` must hold no secret."""
    return {
        "_id": entry_id,
        "at": now,
        "action": action.value,
        "user_id": author.user_id,
        "username": author.username,
        "device_id": author.device_id,
        "subject": subject,
        "details": msgspec.to_builtins(details),
        "request_id": request_id,
        "sequence": None,
        "previous": None,
        "hash": None,
    }


def sealed_hash(entry: dict[str, Any], sequence: int, previous: str) -> str:
    """SHA-256, in hex, over an entry's content, its place and the hash before it."""
    content = [sequence, previous, *(_plain(entry[name]) for name in _CONTENT)]
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


def seal(entry: dict[str, Any], head: Head) -> dict[str, Any]:
    """The three fields that seal an entry as the next one after `head`."""
    sequence = head.sequence + 1
    return {"sequence": sequence, "previous": head.hash, "hash": sealed_hash(entry, sequence, head.hash)}


def problems(sealed: Iterable[dict[str, Any]], noted: Head = EMPTY, start: Head = EMPTY) -> Iterator[str]:
    """What is wrong with a chain whose sealed entries come in order; `noted` is a head that it had before, and `start`
    the one that the first of these entries follows, when they are not all."""
    head = start
    for entry in sealed:
        if entry["sequence"] != head.sequence + 1:
            yield f"entries {head.sequence + 1} to {entry['sequence'] - 1} are missing"
        elif entry["previous"] != head.hash:
            yield f"entry {entry['sequence']} does not follow the one before it"
        if entry["hash"] != sealed_hash(entry, entry["sequence"], entry["previous"]):
            yield f"entry {entry['sequence']} was changed after it was sealed"
        head = Head(entry["sequence"], entry["hash"])
        if head.sequence == noted.sequence and head.hash != noted.hash:
            yield f"entry {head.sequence} is not the one that was there at the last check"
    if head.sequence < noted.sequence:
        yield f"entries {head.sequence + 1} to {noted.sequence} were there at the last check and are gone"


def _plain(value: Any) -> Any:
    """Times as milliseconds, which is what MongoDB keeps of them."""
    if isinstance(value, datetime):
        instant = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(instant.timestamp() * 1000)
    return value
