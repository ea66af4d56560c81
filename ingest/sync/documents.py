"""The documents that sync writes, and what is read back from them."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from ingest.auth.rules import Caller
from ingest.sync import barcodes
from ingest.sync.incoming import Incoming, Opening, Order
from ingest.sync.outcomes import Verdict
from stockverify.clients import Document
from stockverify.vocabulary import ConflictStatus, ConflictType
from stockverify.wire.sync import Conflicted, SyncRecord

_COMPARED = (
    "item_code",
    "bin",
    "verified_qty",
    "damage_qty",
    "serial_numbers",
    "status",
    "item_condition",
    "mrp",
    "barcode",
    "lot",
    "expiry_date",
)


def record(incoming: Incoming, session: Document, caller: Caller, now: datetime, unknown_item: bool) -> Document:
    """An accepted record. Rack, floor and round come from its session; another floor that was sent is kept."""
    sent, floor = incoming.record, session["floor"] or incoming.record.floor
    differs = {"sent_floor": sent.floor} if sent.floor and sent.floor != floor else {}
    return differs | {
        "_id": sent.client_record_id,
        "session_id": sent.session_id,
        "rack_id": session["rack_id"],
        "floor": floor,
        "bin": sent.bin or "",
        "round": session["round"],
        "item_code": sent.item_code,
        "verified_qty": sent.verified_qty,
        "damage_qty": sent.damage_qty or 0.0,
        "serial_numbers": list(sent.serial_numbers or ()),
        "mfg_date": sent.mfg_date,
        "mrp": sent.mrp,
        "uom": sent.uom,
        "category": sent.category,
        "subcategory": sent.subcategory,
        "item_condition": sent.item_condition,
        "evidence_photos": list(sent.evidence_photos or ()),
        "status": sent.status.value,
        "barcode": sent.barcode,
        "lot": sent.lot,
        "expiry_date": sent.expiry_date,
        "gs1": gs1.document() if (gs1 := barcodes.of_record(sent)) else None,
        "unknown_item": unknown_item,
        "user_id": caller.user_id,
        "username": caller.username,
        "device_id": caller.device_id,
        "created_at": sent.created_at,
        "updated_at": sent.updated_at,
        "received_at": now,
        "revision": sent.revision,
        "digest": incoming.digest,
    }


def order_of(stored: Document) -> Order:
    """What orders a stored record among its revisions."""
    return Order(stored["revision"], stored["updated_at"])


def history(version: Document) -> Document:
    """A version that is not current. Its id derives from its content and order, so a replay writes it once."""
    kept = {key: value for key, value in version.items() if key != "_id"}
    mark = _version_mark(version["_id"], version["digest"], order_of(version), version["user_id"])
    return {"_id": f"h-{mark}", "client_record_id": version["_id"], **kept}


def history_id(incoming: Incoming, caller: Caller) -> str:
    """The id that this version has in the history, if it is there."""
    return f"h-{_version_mark(incoming.record.client_record_id, incoming.digest, incoming.order, caller.user_id)}"


def serial_claim(serial: str, owner: Document) -> Document:
    """Says which accepted record a serial number belongs to."""
    return {
        "_id": serial,
        "client_record_id": owner["_id"],
        "item_code": owner["item_code"],
        "rack_id": owner["rack_id"],
        "round": owner["round"],
    }


def conflict_id(incoming: Incoming, caller: Caller) -> str:
    """Derives from content, order and author, so that a replay finds the same conflict."""
    sent = incoming.record
    return f"cf-{_mark(sent.client_record_id, incoming.digest, incoming.order, caller.user_id)}"


def conflict(incoming: Incoming, verdict: Verdict, caller: Caller, now: datetime) -> Document:
    """A record kept aside, whole, beside the value that stands against it."""
    sent = incoming.record
    subject = ("verification_record", sent.client_record_id, sent.client_record_id, sent.session_id)
    local = plain(sent) | {"gs1": gs1.document() if (gs1 := barcodes.of_record(sent)) else None}
    return _conflict(conflict_id(incoming, caller), subject, local, verdict, caller, now)


def session_conflict(opening: Opening, verdict: Verdict, caller: Caller, now: datetime) -> Document:
    """A session kept aside, because its id is in use."""
    subject = ("verification_session", opening.session_id, opening.client_record_id, opening.session_id)
    mark = _hash([*subject, caller.user_id])
    return _conflict(f"cf-{mark}", subject, opening._asdict() | {"type": opening.type.value}, verdict, caller, now)


def _conflict(
    id_: str, subject: tuple[str, str, str, str], local: Document, verdict: Verdict, caller: Caller, now: datetime
) -> Document:
    entity_type, entity_id, client_record_id, session_id = subject
    return {
        "_id": id_,
        "entity_type": entity_type,
        "entity_id": entity_id,
        "conflict_type": verdict.kind.value,
        "message": verdict.message,
        "client_record_id": client_record_id,
        "session_id": session_id,
        "user": caller.username,
        "user_id": caller.user_id,
        "device_id": caller.device_id,
        "conflicts": [
            {"field": name, "local_value": mine, "server_value": theirs} for name, mine, theirs in verdict.differences
        ],
        "local_data": local,
        "server_data": verdict.server,
        "status": ConflictStatus.PENDING.value,
        "resolution": None,
        "resolution_note": None,
        "resolved_by": None,
        "resolved_at": None,
        "created_at": now,
    }


def told(stored: Document) -> Conflicted:
    """A conflict as the device is told of it."""
    return Conflicted(
        client_record_id=stored["client_record_id"],
        conflict_type=ConflictType(stored["conflict_type"]),
        message=stored["message"],
        details={"conflict_id": stored["_id"], "status": stored["status"], "fields": stored["conflicts"]},
    )


def plain(sent: SyncRecord) -> dict[str, Any]:
    """A record as it was sent, in types that MongoDB stores."""
    values: dict[str, Any] = msgspec.to_builtins(sent, builtin_types=(datetime,))
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def differences(sent: SyncRecord, stored: Document) -> tuple[tuple[str, Any, Any], ...]:
    """The fields in which a record and a stored one differ: name, sent value, stored value."""
    mine = plain(sent)
    mine["bin"] = mine["bin"] or ""
    pairs = ((name, mine.get(name), stored.get(name)) for name in _COMPARED)
    return tuple(pair for pair in pairs if pair[1] != pair[2])


def _version_mark(name: str, digest: bytes, order: Order, user_id: str) -> str:
    """Tells versions apart as their order does: by the revision number, and by the device's clock where there is none.
    By both, the same version under another time would be new to the history if it came late, and else not."""
    last = order.updated_at.isoformat() if order.revision is None else None
    return _hash([name, digest.hex(), order.revision, last, user_id])


def _mark(name: str, digest: bytes, order: Order, user_id: str) -> str:
    return _hash([name, digest.hex(), order.revision, order.updated_at.isoformat(), user_id])


def _hash(parts: list[Any]) -> str:
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()
