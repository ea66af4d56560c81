"""A record on its way in: read by itself, so that a bad one costs only itself."""

import hashlib
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

import msgspec

from ingest.sync.mending import UNREADABLE, reason
from stockverify.vocabulary import ErrorType, SessionType
from stockverify.wire.sync import MAX_RECORD_BYTES, Rejected, SyncRecord


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


class Opening(NamedTuple):
    """An older device asks to open a session without a rack, under the id that it has given it offline."""

    client_record_id: str
    session_id: str
    warehouse: str
    type: SessionType


Entry = Incoming | Opening | Rejected


class Batch(NamedTuple):
    """All records and operations in request order, those that could not be read included."""

    batch_id: str | None
    records: tuple[Entry, ...]


class _Named(msgspec.Struct):
    client_record_id: object = None
    id: object = None


_decode_record = msgspec.json.Decoder(SyncRecord).decode
_decode_name = msgspec.json.Decoder(_Named).decode
# Half the time of asking for each field by itself. The digests in the database depend on the order of these names.
_content = attrgetter(
    "session_id",
    "item_code",
    "verified_qty",
    "created_at",
    "rack_id",
    "floor",
    "bin",
    "damage_qty",
    "serial_numbers",
    "mfg_date",
    "mrp",
    "uom",
    "category",
    "subcategory",
    "item_condition",
    "evidence_photos",
    "status",
)
_later_content = attrgetter("barcode", "lot", "expiry_date")
_encode = msgspec.msgpack.Encoder().encode


def read_record(raw: msgspec.Raw, place: int) -> Incoming | Rejected:
    """A record as it stands in a batch, or why it cannot be read."""
    try:
        return incoming(_decode_record(of_bearable_size(raw)))
    except (*UNREADABLE, ValueError) as error:
        return rejected(raw, f"record {place + 1} of the batch: {reason(error, raw)}")


def of_bearable_size(raw: msgspec.Raw) -> msgspec.Raw:
    """A record before it is read, which takes many times its bytes. Raises ValueError."""
    if len(memoryview(raw)) > MAX_RECORD_BYTES:
        raise ValueError(f"it is larger than {MAX_RECORD_BYTES} bytes")
    return raw


def incoming(record: SyncRecord) -> Incoming:
    """A record with its digest and its order."""
    return Incoming(record, digest(record), Order(record.revision, record.updated_at))


def digest(record: SyncRecord) -> bytes:
    """Equal for equal content. Revision and time of change are order, not content. Fields that came later count only
    where there are any, so that records stored before them keep their digests."""
    content, later = _content(record), _later_content(record)
    if any(later):
        content += later
    return hashlib.blake2b(_encode(content), digest_size=16).digest()


def rejected(raw: msgspec.Raw, message: str) -> Rejected:
    """The outcome of a record that cannot be read."""
    return Rejected(client_record_id=_name(raw), error_type=ErrorType.INVALID_RECORD, message=message)


def _name(raw: msgspec.Raw) -> str:
    """The id of a record that could not be read, as far as it has one."""
    try:
        named = _decode_name(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    name = named.id if named.client_record_id is None else named.client_record_id
    return str(name)[:4096] if isinstance(name, str | int | float) else ""
