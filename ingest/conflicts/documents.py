"""Conflicts as replies, live updates and the audit log show them."""

from collections.abc import Iterable
from typing import Any

import msgspec

from ingest.conflicts.proposals import ENTITY
from ingest.sync.writes import Writes
from stockverify.clients import Document
from stockverify.vocabulary import ConflictStatus, ConflictType
from stockverify.wire.conflicts import Conflict, ConflictInFull, ConflictStats

_AUDITED = ("item_code", "rack_id", "bin", "round", "verified_qty", "damage_qty", "status")
_MOST_AUDITED = 20


def shown(stored: Document) -> Conflict:
    """A conflict as replies show it."""
    return msgspec.convert(_fields(stored), Conflict)


def in_full(stored: Document, history: Iterable[Document]) -> ConflictInFull:
    """A conflict with the earlier versions of its record."""
    versions = [_record(version) for version in history]
    return msgspec.convert(_fields(stored) | {"history": versions}, ConflictInFull)


def _fields(stored: Document) -> Document:
    server = stored["server_data"]
    values = {name: stored.get(name) for name in Conflict.__struct_fields__}
    return values | {"id": stored["_id"], "server_data": None if server is None else _record(server)}


def _record(stored: Document) -> Document:
    """A stored record, or the claim on a serial number, without what only the service itself can read."""
    if "client_record_id" not in stored:
        named = {"client_record_id": stored["_id"]}
    else:
        named = {} if "digest" in stored else {"serial_number": stored["_id"]}
    return named | {name: value for name, value in stored.items() if name not in ("_id", "digest")}


def stats(rows: Iterable[Document]) -> ConflictStats:
    """The figures from counts by status and type."""
    by_status, by_type = dict.fromkeys(ConflictStatus, 0), dict.fromkeys(ConflictType, 0)
    for row in rows:
        by_status[ConflictStatus(row["_id"]["status"])] += row["count"]
        by_type[ConflictType(row["_id"]["conflict_type"])] += row["count"]
    return ConflictStats(
        pending=by_status[ConflictStatus.PENDING], resolved=by_status[ConflictStatus.RESOLVED], by_type=by_type
    )


def told(conflict: Document) -> dict[str, Any]:
    """A settled conflict, for live updates."""
    names = ("client_record_id", "session_id", "user_id", "conflict_type", "resolution", "resolved_by")
    return {"conflict_id": conflict["_id"]} | {name: conflict[name] for name in names}


def audited(conflict: Document, writes: Writes) -> dict[str, Any]:
    """What the audit log keeps of a settlement: the outcome, and the records that it changed, before and after."""
    changed = {**writes.inserts, **writes.updates}
    changes = [_change(writes.replaced.get(id_), after) for id_, after in list(changed.items())[:_MOST_AUDITED]]
    names = ("conflict_type", "client_record_id", "session_id", "user", "resolution", "resolution_note")
    return {name: conflict[name] for name in names} | {"records_changed": len(changed), "changes": changes}


def _change(before: Document | None, after: Document) -> dict[str, Any]:
    return {
        "client_record_id": after["_id"],
        "before": _values(before) if before else None,
        "after": _values(after),
    }


def _values(record: Document) -> dict[str, Any]:
    return {name: record[name] for name in _AUDITED} | {"serial_count": len(record["serial_numbers"])}


def is_record(conflict: Document) -> bool:
    """Whether a conflict is about a record; others are about sessions and have no history."""
    return bool(conflict["entity_type"] == ENTITY)
