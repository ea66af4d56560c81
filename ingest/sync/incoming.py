"""Reads a batch record by record, so that a bad one costs only itself."""

import hashlib
from datetime import datetime
from typing import NamedTuple

import msgspec

from stockverify.errors import BadInput, TooLarge
from stockverify.vocabulary import ErrorType
from stockverify.wire import MAX_BATCH_RECORDS, MAX_BATCH_SERIALS, RawBatch, Rejected, SyncRecord


class NotABatch(BadInput):
    """The body is not a sync batch: {reason}. Send {{"records": [...], "batch_id": "..."}}."""


class EmptyBatch(BadInput):
    """The batch holds no records; send at least one."""


class TooManyRecords(TooLarge):
    """The batch holds {count} records; send at most {limit} at a time."""


class TooManySerials(TooLarge):
    """The batch holds {count} serial numbers; send at most {limit} at a time."""


class Order(NamedTuple):
    """What orders the revisions of one record: the device's own revision number, else its own clock."""

    revision: int | None
    updated_at: datetime

    def compare(self, other: "Order") -> int:
        """-1, 0 or 1. Revision numbers count when both sides have one; clocks of one device otherwise."""
        mine, theirs = (self.revision, other.revision)
        if mine is not None and theirs is not None:
            return (mine > theirs) - (mine < theirs)
        return (self.updated_at > other.updated_at) - (self.updated_at < other.updated_at)


class Incoming(NamedTuple):
    """A record that could be read, with the digest of its content."""

    record: SyncRecord
    digest: bytes
    order: Order


class Batch(NamedTuple):
    """All records in request order, those that could not be read included."""

    batch_id: str | None
    records: tuple[Incoming | Rejected, ...]


class _Named(msgspec.Struct):
    client_record_id: object = None


_decode_batch = msgspec.json.Decoder(RawBatch).decode
_decode_record = msgspec.json.Decoder(SyncRecord).decode
_decode_name = msgspec.json.Decoder(_Named).decode
_NOT_CONTENT = frozenset({"client_record_id", "updated_at", "revision"})
_CONTENT = tuple(name for name in SyncRecord.__struct_fields__ if name not in _NOT_CONTENT)
_encode = msgspec.msgpack.Encoder().encode


def read_batch(body: bytes) -> Batch:
    """The batch in a request body. Raises NotABatch, EmptyBatch or TooManyRecords."""
    try:
        raw = _decode_batch(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotABatch(reason=_shown(error)) from None
    if raw.records is None:
        raise NotABatch(reason="the field `records` is missing")
    if not raw.records:
        raise EmptyBatch()
    if len(raw.records) > MAX_BATCH_RECORDS:
        raise TooManyRecords(count=len(raw.records), limit=MAX_BATCH_RECORDS)
    records = tuple(_read(raw_record, place) for place, raw_record in enumerate(raw.records))
    serials = sum(len(each.record.serial_numbers or ()) for each in records if isinstance(each, Incoming))
    if serials > MAX_BATCH_SERIALS:
        raise TooManySerials(count=serials, limit=MAX_BATCH_SERIALS)
    return Batch(None if raw.batch_id is None else str(raw.batch_id), records)


def digest(record: SyncRecord) -> bytes:
    """Equal for equal content. Revision and time of change are order, not content."""
    content = _encode([getattr(record, name) for name in _CONTENT])
    return hashlib.blake2b(content, digest_size=16).digest()


def _read(raw: msgspec.Raw, place: int) -> Incoming | Rejected:
    try:
        record = _decode_record(raw)
        return Incoming(record, digest(record), Order(record.revision, record.updated_at))
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        message = f"record {place + 1} of the batch: {_shown(error)}"
        return Rejected(client_record_id=_name(raw), error_type=ErrorType.INVALID_RECORD, message=message)


def _name(raw: msgspec.Raw) -> str:
    """The id of a record that could not be read, as far as it has one."""
    try:
        name = _decode_name(raw).client_record_id
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    return str(name)[:4096] if isinstance(name, str | int | float) else ""


def _shown(error: Exception) -> str:
    return str(error)[:300]
