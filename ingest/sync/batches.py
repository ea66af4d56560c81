"""Reads the body of a batch: records, or the operations of older devices."""

from collections.abc import Sequence

import msgspec

from ingest.sync.incoming import Batch, Entry, Incoming, read_record
from ingest.sync.mending import UNREADABLE, decoded, shown
from ingest.sync.operations import read_operation
from stockverify.errors import BadInput, TooLarge
from stockverify.wire.sync import MAX_BATCH_RECORDS, MAX_BATCH_SERIALS, RawBatch


class NotABatch(BadInput):
    """The body is not a sync batch: {reason}. Send {{"records": [...], "batch_id": "..."}}."""


class EmptyBatch(BadInput):
    """The batch holds no records; send at least one."""


class TooManyRecords(TooLarge):
    """The batch holds more than {limit} records; send at most as many at a time."""


class TooManySerials(TooLarge):
    """The batch holds {count} serial numbers; send at most {limit} at a time."""


_decode = msgspec.json.Decoder(RawBatch).decode


def read_batch(body: bytes) -> Batch:
    """The batch in a request body. Raises NotABatch, EmptyBatch, TooManyRecords or TooManySerials."""
    try:
        raw = decoded(_decode, body)
    except UNREADABLE as error:
        raise NotABatch(reason=shown(error)) from None
    if raw.records is None and raw.operations is None:
        raise NotABatch(reason="the field `records` is missing")
    records, operations = (each.listed() if each else [] for each in (raw.records, raw.operations))
    if not records and not operations:
        raise EmptyBatch()
    if len(records) + len(operations) > MAX_BATCH_RECORDS:
        raise TooManyRecords(limit=MAX_BATCH_RECORDS)
    entries: list[Entry] = [read_record(each, place) for place, each in enumerate(records)]
    entries += [read_operation(each, place) for place, each in enumerate(operations)]
    _check_serials(entries)
    return Batch(None if raw.batch_id is None else str(raw.batch_id), tuple(entries))


def _check_serials(entries: Sequence[Entry]) -> None:
    count = sum(len(each.record.serial_numbers or ()) for each in entries if isinstance(each, Incoming))
    if count > MAX_BATCH_SERIALS:
        raise TooManySerials(count=count, limit=MAX_BATCH_SERIALS)
