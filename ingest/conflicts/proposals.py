"""What would become current when one accepts what a device sent, as it is or merged, checked like any record."""

from typing import Any, NamedTuple

import msgspec

from ingest.auth.rules import Caller
from ingest.sync import documents
from ingest.sync.incoming import Incoming, incoming
from ingest.sync.mending import UNREADABLE, shown
from stockverify.clients import Document
from stockverify.errors import BadInput
from stockverify.vocabulary import Resolution, Role
from stockverify.wire.sync import SyncRecord

ENTITY = "verification_record"
_FIELDS = frozenset(SyncRecord.__struct_fields__)
_ABSENT = object()
_OF_DEVICE = ("client_record_id", "updated_at", "revision")


class NotARecord(BadInput):
    """Conflict {conflict_id} is about a {entity_type}, which cannot be accepted. Settle it as accept_server or
    ignore."""


class EmptyMerge(BadInput):
    """merged_data is missing or empty; send the fields that shall differ from what the device sent, or accept_local."""


class UnknownMergeFields(BadInput):
    """merged_data has fields that no record has: {names}. Leave them out."""


class AnotherId(BadInput):
    """merged_data: client_record_id {wanted!r} is not that of the conflict, {id!r}. Leave it out."""


class WouldBreakRule(BadInput):
    """What would become current breaks a rule: {reason}. Nothing was changed. Send merge with corrected values in
    merged_data, or settle the conflict as accept_server or ignore."""


class Proposal(NamedTuple):
    """A conflict, its record as the device sent it, and the content that shall become current."""

    conflict: Document
    local: Incoming
    content: SyncRecord

    @property
    def author(self) -> Caller:
        """Who sent the record, from which device."""
        conflict = self.conflict
        return Caller(conflict["user_id"], conflict["user"], Role.STAFF, "", conflict["device_id"])


def merged_fields(conflict: Document, resolution: Resolution, merged_data: Document | None) -> Document | None:
    """The fields that a merge overlays, as they are stored; None for other resolutions."""
    if resolution is not Resolution.MERGE:
        return None
    overlay = _checked(conflict, merged_data or {})
    merged = documents.plain(_overlaid(conflict, overlay))
    return {name: merged[name] for name in sorted(overlay)}


def proposal(conflict: Document, merged: Document | None) -> Proposal:
    """What would become current. Raises NotARecord or WouldBreakRule."""
    if conflict["entity_type"] != ENTITY:
        raise NotARecord(conflict_id=conflict["_id"], entity_type=conflict["entity_type"])
    local = _overlaid(conflict, {})
    of_device: dict[str, Any] = {name: getattr(local, name) for name in _OF_DEVICE}
    content = msgspec.structs.replace(_overlaid(conflict, merged or {}), **of_device)
    _check(content)
    return Proposal(conflict, incoming(local), content)


def _checked(conflict: Document, merged_data: Document) -> Document:
    """The fields to overlay. What the service itself has added to local_data may come back with it unchanged."""
    if conflict["entity_type"] != ENTITY:
        raise NotARecord(conflict_id=conflict["_id"], entity_type=conflict["entity_type"])
    local = conflict["local_data"]
    overlay = {
        name: value for name, value in merged_data.items() if name in _FIELDS or value != local.get(name, _ABSENT)
    }
    if not overlay:
        raise EmptyMerge()
    if unknown := sorted(set(overlay) - _FIELDS):
        raise UnknownMergeFields(names=", ".join(name[:60] for name in unknown[:20]))
    id_ = conflict["client_record_id"]
    if (wanted := overlay.get("client_record_id", id_)) != id_:
        raise AnotherId(wanted=str(wanted)[:128], id=id_)
    return overlay


def _overlaid(conflict: Document, merged: Document) -> SyncRecord:
    try:
        return msgspec.convert(conflict["local_data"] | merged, SyncRecord)
    except (*UNREADABLE, ValueError) as error:
        raise WouldBreakRule(reason=shown(error)) from None


def _check(content: SyncRecord) -> None:
    """0 <= damage <= verified, and no serial number twice. Raises WouldBreakRule."""
    verified, damage = content.verified_qty, content.damage_qty or 0.0
    serials = content.serial_numbers or ()
    if verified is not None and verified < 0:
        raise WouldBreakRule(reason=f"verified_qty is negative ({verified:g})")
    if damage < 0:
        raise WouldBreakRule(reason=f"damage_qty is negative ({damage:g})")
    if damage > (verified or 0.0):
        counted = "nothing" if verified is None else f"{verified:g}"
        raise WouldBreakRule(reason=f"damage_qty ({damage:g}) is more than verified_qty ({counted})")
    if len(set(serials)) < len(serials):
        twice = next(serial for serial in serials if serials.count(serial) > 1)
        raise WouldBreakRule(reason=f"serial_numbers has {twice} twice")
