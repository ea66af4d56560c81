"""What a counter enters, made into a record and checked while the counter still stands before the shelf. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from stockverify.client.memory import Held
from stockverify.client.problems import BadCount
from stockverify.vocabulary import RecordStatus
from stockverify.wire.sync import SyncRecord

_OURS = frozenset({"client_record_id", "session_id", "rack_id", "floor", "created_at", "updated_at", "revision"})
_ENTERED = frozenset(SyncRecord.__struct_fields__) - _OURS


def counted(line: Mapping[str, Any], held: Held, now: datetime, client_record_id: str) -> SyncRecord:
    """The first revision of a count in the rack that is held. Raises BadCount."""
    _check_names(line)
    ours = {
        "client_record_id": client_record_id,
        "session_id": held.session_id,
        "rack_id": held.rack_id,
        "floor": held.floor,
        "created_at": now,
        "updated_at": now,
        "revision": 1,
    }
    seen_only = line.get("verified_qty") is None
    status = RecordStatus.PARTIAL if seen_only else RecordStatus.FINALIZED
    return _checked({"status": status, **line, **ours})


def edited(before: SyncRecord, changes: Mapping[str, Any], now: datetime) -> SyncRecord:
    """The next revision of a count. A quantity makes a final count of one that was only seen. Raises BadCount."""
    _check_names(changes)
    counts_now = before.status is RecordStatus.PARTIAL and changes.get("verified_qty") is not None
    ours = {"updated_at": now, "revision": (before.revision or 0) + 1}
    status = {"status": RecordStatus.FINALIZED} if counts_now else {}
    return _checked(msgspec.structs.asdict(before) | status | dict(changes) | ours)


def _check_names(given: Mapping[str, Any]) -> None:
    if wrong := sorted(given.keys() - _ENTERED):
        raise BadCount(reason=f"{wrong[0]!r} is no field that a counter enters")


def _checked(values: Mapping[str, Any]) -> SyncRecord:
    try:
        record = msgspec.convert(msgspec.to_builtins(values, builtin_types=(datetime, float)), SyncRecord)
    except (msgspec.ValidationError, TypeError) as error:
        raise BadCount(reason=str(error).replace("$.", "")) from None
    _check_quantities(record.verified_qty, record.damage_qty or 0.0)
    return record


def _check_quantities(verified: float | None, damage: float) -> None:
    if damage < 0 or (verified is not None and verified < 0):
        raise BadCount(reason="quantities cannot be negative")
    if damage > (verified or 0.0):
        raise BadCount(reason=f"more damaged ({damage:g}) than counted ({verified or 0:g})")
