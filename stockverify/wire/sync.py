"""Batches of counted records and what is answered."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from stockverify.vocabulary import (
    ConflictType,
    ErrorType,
    RecordStatus,
)
from stockverify.wire.common import Id, Name, Reply, Request, Text

MAX_BATCH_RECORDS = 1000
MAX_SERIALS = 1000
MAX_BATCH_SERIALS = 20_000
MAX_RECORD_BYTES = 4 * 1024 * 1024

Quantity = Annotated[float, Meta(ge=-1e12, le=1e12)]
Money = Annotated[float, Meta(ge=-1e12, le=1e12)]


class SyncRecord(Request, frozen=True, kw_only=True):
    """One counted line as a device sends it. `verified_qty` null means seen but not counted, never zero."""

    client_record_id: Id
    session_id: Id
    item_code: Id
    verified_qty: Quantity | None
    created_at: datetime
    updated_at: datetime
    rack_id: Annotated[str, Meta(max_length=128)] | None = None
    floor: Name | None = None
    bin: Annotated[str, Meta(max_length=128)] | None = None
    damage_qty: Quantity | None = 0.0
    serial_numbers: Annotated[tuple[Id, ...], Meta(max_length=MAX_SERIALS)] | None = ()
    mfg_date: Name | None = None
    mrp: Money | None = None
    uom: Name | None = None
    category: Name | None = None
    subcategory: Name | None = None
    item_condition: Name | None = None
    evidence_photos: Annotated[tuple[Text, ...], Meta(max_length=100)] | None = ()
    status: RecordStatus = RecordStatus.FINALIZED
    revision: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    barcode: Annotated[str, Meta(max_length=512)] | None = None
    lot: Name | None = None
    expiry_date: Name | None = None

    def __post_init__(self) -> None:
        """Naive times count as UTC, so that every instant in the house is aware; MongoDB keeps milliseconds."""
        if not _as_kept(self.created_at):
            msgspec.structs.force_setattr(self, "created_at", _instant("created_at", self.created_at))
        if not _as_kept(self.updated_at):
            msgspec.structs.force_setattr(self, "updated_at", _instant("updated_at", self.updated_at))
        if self.status is RecordStatus.FINALIZED and self.verified_qty is None:
            raise ValueError("a finalized record needs verified_qty; send status partial for an item not yet counted")


def _as_kept(sent: datetime) -> bool:
    """Nearly every device sends whole milliseconds in UTC; looking first halves the cost of reading a record."""
    return sent.tzinfo is UTC and not sent.microsecond % 1000


def _instant(name: str, sent: datetime) -> datetime:
    try:
        instant = sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{name} is no possible time") from None
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


_ABSENT = msgspec.Raw()
_PLACES = [(f"record_{place}", msgspec.Raw, _ABSENT) for place in range(MAX_BATCH_RECORDS + 1)]


class RawRecords(msgspec.defstruct("_Places", _PLACES, array_like=True, frozen=True)):  # type: ignore[misc]
    """A list of which one more than the limit is read, and the rest passed over. As a list of Python, two bytes of a
    body would take seventy bytes of memory: a few kilobytes, compressed, two gigabytes."""

    def listed(self) -> list[msgspec.Raw]:
        """The records, up to one more than the limit."""
        return [each for each in msgspec.structs.astuple(self) if each is not _ABSENT]


class RawBatch(Request, frozen=True, kw_only=True):
    """POST /api/sync/batch before its records are read one by one, so that a bad one costs only itself."""

    records: RawRecords | None = None
    operations: RawRecords | None = None
    batch_id: Annotated[str, Meta(max_length=128)] | int | None = None


class Conflicted(Reply, frozen=True, kw_only=True):
    """A record kept aside for a supervisor, stored whole."""

    client_record_id: str
    conflict_type: ConflictType
    message: str
    details: dict[str, Any] = field(default_factory=dict)


class Rejected(Reply, frozen=True, kw_only=True):
    """A record that could not be read; the device keeps it and shows why."""

    client_record_id: str
    error_type: ErrorType
    message: str


class RecordResult(Reply, frozen=True, kw_only=True):
    """The outcome of one record, in request order."""

    id: str
    success: bool
    message: str


class BatchReply(Reply, frozen=True, kw_only=True):
    """One outcome for each record sent: ok + conflicts + errors = total_records."""

    ok: list[str]
    conflicts: list[Conflicted]
    errors: list[Rejected]
    batch_id: str | None
    processing_time_ms: float
    total_records: int
    results: list[RecordResult]
    processed_count: int
    success_count: int
    failed_count: int


class Receipt(Reply, frozen=True, kw_only=True):
    """What became of a batch when it was stored. Every delivery that stored something has one of its own."""

    batch_id: str | None
    records: int
    ok: int
    conflicts: int
    errors: int
    session_ids: list[str]
    rack_ids: list[str]
    username: str
    device_id: str
    received_at: float
