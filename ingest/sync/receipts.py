"""Receipts: what became of a batch, kept beside it, so that the same body again is answered without looking further.

A receipt belongs to one user, one device and one body. It says nothing about another body with the same batch_id.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from ingest.auth.rules import Caller
from ingest.sync.mending import decoded
from ingest.sync.outcomes import Ok, Outcome
from ingest.sync.writes import Writes
from stockverify.clients import Document
from stockverify.errors import NotFound
from stockverify.vocabulary import Role
from stockverify.wire.sync import Conflicted, Receipt


class BatchNotFound(NotFound):
    """No receipt of a batch {batch_id} is kept. Receipts are kept for 30 days, of batches that stored something."""


class _Record(msgspec.Struct):
    client_record_id: str


class _Operation(msgspec.Struct):
    id: str | int


class _Names(msgspec.Struct):
    records: list[_Record] | None = None
    operations: list[_Operation] | None = None
    batch_id: str | int | None = None


_decode_names = msgspec.json.Decoder(_Names).decode


def receipt_id(body: bytes, caller: Caller) -> str:
    """The same for the same body from the same person and device, and for nothing else."""
    whose = msgspec.json.encode([caller.user_id, caller.device_id])
    return hashlib.blake2b(body, digest_size=24, key=hashlib.blake2b(whose, digest_size=32).digest()).hexdigest()


def receipt(
    id_: str, batch_id: str | None, outcomes: Sequence[Outcome], writes: Writes, caller: Caller, now: datetime
) -> Document:
    """The receipt of a batch that stores something."""
    kinds = Counter(type(outcome) for outcome in outcomes)
    written = [*writes.inserts.values(), *writes.updates.values(), *writes.history.values(), *writes.conflicts.values()]
    return {
        "_id": id_,
        "batch_id": batch_id,
        "records": len(outcomes),
        "ok": kinds[Ok],
        "conflicts": kinds[Conflicted],
        "errors": len(outcomes) - kinds[Ok] - kinds[Conflicted],
        "session_ids": sorted({each["session_id"] for each in written} | set(writes.sessions)),
        "rack_ids": sorted(writes.racks),
        "user_id": caller.user_id,
        "username": caller.username,
        "device_id": caller.device_id,
        "received_at": now,
    }


def repeated(receipt: Document, body: bytes) -> tuple[Ok, ...] | None:
    """The outcomes of a body that has a receipt, if all of it was `ok`; records are never taken back."""
    if receipt["ok"] != receipt["records"]:
        return None
    names = decoded(_decode_names, body)
    ids = [each.client_record_id for each in names.records or ()]
    ids += [str(each.id) for each in names.operations or ()]
    return tuple(Ok(name, "Stored before.") for name in ids)


def visible_to(caller: Caller, batch_id: str) -> Document:
    """The filter on receipts: counters see their own, and so do people with a scope, the others everybody's."""
    return {"batch_id": batch_id} | ({"user_id": caller.user_id} if caller.role is Role.STAFF or caller.floors else {})


def described(found: Iterable[Document], batch_id: str) -> list[Receipt]:
    """Receipts as replies show them. Raises BatchNotFound when there are none."""
    receipts = [_describe(each) for each in found]
    if not receipts:
        raise BatchNotFound(batch_id=batch_id)
    return receipts


def _describe(receipt: Document) -> Receipt:
    names = ("batch_id", "records", "ok", "conflicts", "errors", "session_ids", "rack_ids", "username", "device_id")
    return Receipt(**{name: receipt[name] for name in names}, received_at=receipt["received_at"].timestamp())
