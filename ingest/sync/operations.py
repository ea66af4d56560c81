"""The bodies of older devices: `operations` of three types, each turned into a record or into a session to open."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from ingest.sync.incoming import Incoming, Opening, incoming, of_bearable_size, rejected
from ingest.sync.mending import UNREADABLE, reason
from stockverify.vocabulary import RecordStatus, SessionType
from stockverify.wire.common import Id, Name, Request
from stockverify.wire.sync import Rejected, SyncRecord

_MILLISECONDS_FROM = 1e11
"""Unix times above this are milliseconds: as seconds they would lie in the year 5138, as milliseconds in 1973."""

NAMES_OF_LISTS = frozenset({"active", "presence"})
"""Below /api/sessions/ these are lists: a session of such a name could never be asked for."""

Values = dict[str, Any]


class Operation(Request, frozen=True, kw_only=True):
    """One entry of `operations`; its id is the client_record_id of what it stands for."""

    id: Id | int
    type: Name
    data: Values
    timestamp: str | float | None = None


class SessionData(Request, frozen=True, kw_only=True):
    """What an operation `session` holds."""

    session_id: Id
    warehouse: Name = ""
    type: SessionType = SessionType.STANDARD


_decode = msgspec.json.Decoder(Operation).decode


def read_operation(raw: msgspec.Raw, place: int) -> Incoming | Opening | Rejected:
    """What an operation stands for, or why it cannot be read."""
    try:
        operation = _decode(of_bearable_size(raw))
        return _READERS.get(operation.type, _unknown)(operation)
    except (*UNREADABLE, ValueError) as error:
        return rejected(raw, f"operation {place + 1} of the batch: {reason(error, raw)}")


def instant(sent: str | float) -> str | datetime:
    """A time as older devices write it: ISO 8601 text stays as it is, Unix seconds and milliseconds become UTC."""
    if isinstance(sent, str):
        return sent
    seconds = sent / 1000 if abs(sent) > _MILLISECONDS_FROM else sent
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        raise ValueError(f"{sent:g} is no possible time") from None


def _session(operation: Operation) -> Opening:
    values = operation.data | {"session_id": operation.data.get("session_id") or operation.data.get("id")}
    if isinstance(kind := values.get("type"), str):
        values["type"] = kind.upper()
    data = msgspec.convert({key: value for key, value in values.items() if value is not None}, SessionData)
    if data.session_id in NAMES_OF_LISTS:
        raise ValueError(f"the session id {data.session_id!r} is the name of a list; give the session another one")
    return Opening(str(operation.id), data.session_id, data.warehouse, data.type)


def _count_line(operation: Operation) -> Incoming:
    values = dict(operation.data)
    counted, verified = values.get("counted_qty"), values.get("verified_qty")
    if counted is not None and verified is not None and counted != verified:
        raise ValueError(f"counted_qty {counted} and verified_qty {verified} contradict each other; send one of them")
    if "counted_qty" in values and verified is None:
        values["verified_qty"] = counted
    return _record(operation, values)


def _unknown_item(operation: Operation) -> Incoming:
    """Seen on a shelf and perhaps not counted: without a quantity it is partial and null, never zero."""
    values = dict(operation.data)
    values["item_code"] = values.get("item_code") or values.get("barcode")
    if values.get("verified_qty") is None:
        values["verified_qty"] = values.get("counted_qty")
    if values["verified_qty"] is None:
        values["status"] = RecordStatus.PARTIAL.value
    return _record(operation, values)


def _unknown(operation: Operation) -> Incoming:
    known = ", ".join(_READERS)
    raise ValueError(f"the type {operation.type[:40]!r} is not known; send one of: {known}")


_READERS: dict[str, Callable[[Operation], Incoming | Opening]] = {
    "session": _session,
    "count_line": _count_line,
    "unknown_item": _unknown_item,
}


def _record(operation: Operation, values: Values) -> Incoming:
    """The times of the data count; the operation's own stands in for those that are missing."""
    own = operation.timestamp
    created, updated = values.get("created_at"), values.get("updated_at")
    first = next((time for time in (created, own, updated) if time is not None), None)
    last = next((time for time in (updated, own, created) if time is not None), None)
    times = {name: instant(time) for name, time in (("created_at", first), ("updated_at", last)) if time is not None}
    if not times:
        raise ValueError("it has no time: send `timestamp`, or created_at and updated_at in `data`")
    return incoming(msgspec.convert(values | times | {"client_record_id": str(operation.id)}, SyncRecord))
