"""Conflicts as tables: the queue, both versions side by side, the history; and what a merge by hand sends."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from analytics.glance.numbers import NOTHING, amount
from analytics.glance.words import heading
from dashboard.times import shown
from stockverify.vocabulary import ConflictType, Resolution
from stockverify.wire.conflicts import Conflict, Fields

DIFFERS = "≠"
TYPES = {
    ConflictType.DUPLICATE_SERIAL: "Serial number in two places",
    ConflictType.INVALID_QUANTITY: "Impossible quantity",
    ConflictType.INVALID_DATA: "Impossible data",
    ConflictType.RACK_LOCKED: "Rack was somebody else's",
    ConflictType.STALE_REVISION: "Older than what is stored",
    ConflictType.CONCURRENT_EDIT: "Counted twice at once",
}
RESOLUTIONS = {
    Resolution.ACCEPT_SERVER: "Keep the stored version",
    Resolution.ACCEPT_LOCAL: "Take the device's version",
    Resolution.MERGE: "Merge by hand",
    Resolution.IGNORE: "Ignore",
}
MEANINGS = {
    Resolution.ACCEPT_SERVER: "What is stored was right; the device's count stays aside.",
    Resolution.ACCEPT_LOCAL: "The device was right; its count becomes current, and the other goes to the history.",
    Resolution.MERGE: "Neither is quite right; correct the fields below.",
    Resolution.IGNORE: "The question does not matter any more; nothing changes.",
}
MERGED = ("item_code", "bin", "verified_qty", "damage_qty", "serial_numbers", "item_condition")
"""The fields that a merge by hand may correct, in the order of the form."""

_FIRST = ("item_code", "rack_id", "floor", "bin", "verified_qty", "damage_qty", "serial_numbers", "status")
# Times, sessions and devices differ in every conflict; what matters is whether the counts do.
_OF_COUNT = frozenset({*_FIRST, *MERGED, "mrp", "barcode", "lot", "expiry_date"})
_INNER = ("serial_number", "client_record_id", "record_id", "digest", "gs1", "user_id", "settled")
_ALIKE: tuple[Any, ...] = (None, "", [], 0.0)
_QUEUE: dict[str, Any] = {
    "created_at": pl.Datetime("ms", "UTC"),
    "why": pl.String,
    "rack": pl.String,
    "item": pl.String,
    "counted_by": pl.String,
    "differs": pl.String,
    "state": pl.String,
}
_VERSION: dict[str, Any] = {
    "received_at": pl.Datetime("ms", "UTC"),
    "counted_by": pl.String,
    "rack": pl.String,
    "verified_qty": pl.Float64,
    "damage_qty": pl.Float64,
    "serial_numbers": pl.String,
    "status": pl.String,
    "revision": pl.Int64,
}


class Side(NamedTuple):
    """One field of both versions, in words, and whether they differ."""

    field: str
    mark: str
    device: str
    stored: str


def queue(conflicts: Iterable[Conflict]) -> pl.DataFrame:
    """A row for each conflict."""
    rows = [
        {
            "created_at": each.created_at,
            "why": TYPES[each.conflict_type],
            "rack": _text(each.local_data.get("rack_id")),
            "item": _text(each.local_data.get("item_code")),
            "counted_by": each.user,
            "differs": ", ".join(heading(field) for field in differing(each)) or NOTHING,
            "state": RESOLUTIONS[each.resolution] if each.resolution else "Waits",
        }
        for each in conflicts
    ]
    return pl.DataFrame(rows, schema=_QUEUE)


def waiting(number: int) -> str:
    """How many are to be settled, in words."""
    if number == 1:
        return "1 conflict waits to be settled"
    return f"{amount(number, 'lines') if number else 'No'} conflict{'s wait' if number else ' waits'} to be settled"


def name(conflict: Conflict) -> str:
    """A conflict in a list of choices."""
    data = conflict.local_data
    places = [str(data[part]) for part in ("rack_id", "item_code") if data.get(part)]
    return " · ".join([TYPES[conflict.conflict_type], *places, conflict.user])


def sides(conflict: Conflict, zone: ZoneInfo, whole: bool) -> list[Side]:
    """Both versions side by side, what differs first; without `whole` only that and what says what it is about."""
    local, server = _both(conflict)
    apart = differing(conflict)
    found = []
    for field in _fields(local, server):
        if whole or field in apart or field in _FIRST:
            pair = (_value(side, field, zone) for side in (local, server))
            found.append(Side(heading(field), DIFFERS if field in apart else "", *pair))
    return sorted(found, key=lambda side: not side.mark)


def differing(conflict: Conflict) -> list[str]:
    """The fields in which both versions differ: the same in the queue as beside each other."""
    local, server = _both(conflict)
    compared = {*_OF_COUNT, *_named(conflict)}
    return [
        field
        for field in _fields(local, server)
        if field in server and field in compared and not _alike(local, server, field)
    ]


def versions(history: Iterable[Fields]) -> pl.DataFrame:
    """Earlier versions of the record, as they came."""
    rows = [
        {
            "received_at": _instant(each.get("received_at")),
            "counted_by": each.get("username"),
            "rack": each.get("rack_id"),
            "verified_qty": each.get("verified_qty"),
            "damage_qty": each.get("damage_qty"),
            "serial_numbers": _text(each.get("serial_numbers")),
            "status": each.get("status"),
            "revision": each.get("revision"),
        }
        for each in history
    ]
    return pl.DataFrame(rows, schema=_VERSION)


def outcome(conflict: Conflict, zone: ZoneInfo) -> str:
    """How a conflict was settled, in a sentence; empty while it waits."""
    if conflict.resolution is None:
        return ""
    when = f" at {shown(conflict.resolved_at, zone)}" if conflict.resolved_at else ""
    note = f" Note: {conflict.resolution_note}" if conflict.resolution_note else ""
    return f"Settled by {conflict.resolved_by or 'somebody'}{when}: {RESOLUTIONS[conflict.resolution]}.{note}"


def who_and_when(conflict: Conflict, zone: ZoneInfo) -> str:
    """Whose versions stand against each other, and when each arrived: messages name sessions, which nobody knows by
    heart."""
    stored = conflict.server_data or {}
    said = [f"{conflict.user} sent this version; it arrived at {shown(conflict.created_at, zone)}."]
    if who := stored.get("username"):
        at = _instant(stored.get("received_at"))
        said.append(f"The other one is {who}'s{f' and arrived at {shown(at, zone)}' if at else ''}.")
    elif owner := next((each.server_value for each in conflict.conflicts if each.field == "user"), None):
        said.append(f"The session is {owner}'s.")
    return " ".join(said)


def merged(local: Fields, edited: Fields) -> Fields:
    """What a merge sends: the fields that were corrected, and no others."""
    return {name: value for name, value in edited.items() if not _alike(edited, local, name)}


def serials(text: str) -> list[str]:
    """Serial numbers as people type them: apart by commas, semicolons or lines."""
    apart = text.replace(";", ",").replace("\n", ",").split(",")
    return [serial.strip() for serial in apart if serial.strip()]


def neighbours(ids: Sequence[str], current: str) -> tuple[str, str]:
    """The conflicts before and after one, round and round; of one that is not in the list, both ends."""
    if not ids:
        return "", ""
    if current not in ids:
        return ids[-1], ids[0]
    place = list(ids).index(current)
    return ids[place - 1], ids[(place + 1) % len(ids)]


def _both(conflict: Conflict) -> tuple[Fields, Fields]:
    local = {each.field: each.local_value for each in conflict.conflicts} | conflict.local_data
    server = {each.field: each.server_value for each in conflict.conflicts} | _held(conflict.server_data or {})
    return local, server


def _named(conflict: Conflict) -> set[str]:
    return {each.field for each in conflict.conflicts}


def _held(server: Fields) -> Fields:
    """Of the claim on a serial number, that number stands beside those which the device sent."""
    return server | {"serial_numbers": [server["serial_number"]]} if "serial_number" in server else server


def _fields(local: Fields, server: Fields) -> list[str]:
    known = [field for field in (*local, *server) if field not in _INNER]
    return list(dict.fromkeys([*(field for field in _FIRST if field in known), *known]))


def _alike(one: Fields, other: Fields, field: str) -> bool:
    """Nothing is nothing, however it is written; but a quantity of nothing is not zero."""
    mine, theirs = one.get(field), other.get(field)
    if field == "verified_qty":
        return bool(mine == theirs)
    return bool(mine == theirs or (mine in _ALIKE and theirs in _ALIKE))


def _value(side: Fields, field: str, zone: ZoneInfo) -> str:
    value = side.get(field)
    if field.endswith("_at") and (instant := _instant(value)):
        return shown(instant, zone)
    return _text(value)


def _text(value: Any) -> str:
    if value is None or value in ("", []):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return amount(value, "units")
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value)


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
