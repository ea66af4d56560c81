"""What can stand against a record. Each check looks at one thing and says why, or says nothing."""

from ingest.auth.rules import Caller
from ingest.sync import barcodes, documents
from ingest.sync.incoming import Incoming, Opening
from ingest.sync.outcomes import Verdict
from ingest.sync.world import World
from stockverify.clients import Document
from stockverify.vocabulary import ConflictType
from stockverify.wire.sync import SyncRecord


def foreign_session(opening: Opening, session: Document, caller: Caller) -> Verdict | None:
    """A session id that was given offline may be in use already, by somebody else."""
    if session["user_id"] == caller.user_id:
        return None
    message = f"Session {opening.session_id} belongs to another counter; open one under another id."
    return Verdict(ConflictType.INVALID_DATA, message, (("user", caller.username, session["username"]),))


def wrong_session(record: SyncRecord, session: Document | None, caller: Caller) -> Verdict | None:
    """A record is judged by its session, which must be known, the caller's own, and on the rack that it names."""
    if session is None:
        message = f"Session {record.session_id} is not known. The record is kept; claim the rack and count it again."
        return Verdict(ConflictType.INVALID_DATA, message, (("session_id", record.session_id, None),))
    if session["user_id"] != caller.user_id:
        message = f"Session {record.session_id} belongs to another counter."
        return Verdict(ConflictType.INVALID_DATA, message, (("user", caller.username, session["username"]),))
    if record.rack_id and record.rack_id != session["rack_id"]:
        place = "has no rack" if session["rack_id"] is None else f"is on rack {session['rack_id']}"
        message = f"The record names rack {record.rack_id}, its session {place}."
        return Verdict(ConflictType.INVALID_DATA, message, (("rack_id", record.rack_id, session["rack_id"]),))
    return None


def wrong_author(incoming: Incoming, stored: Document | None, caller: Caller) -> Verdict | None:
    """A stored record may be changed by the person and the device that made it, and by nobody else."""
    if stored is None:
        return None
    if stored["user_id"] != caller.user_id:
        return stale(incoming, stored, "A record with this id was stored by another counter.")
    if stored["device_id"] != caller.device_id and stored["digest"] != incoming.digest:
        return stale(incoming, stored, "This record was stored by another device of yours and differs.")
    return None


def settled(incoming: Incoming, stored: Document | None) -> Verdict | None:
    """What a supervisor has settled, no device overwrites. The same content again contradicts nothing."""
    if stored is None or not stored.get("settled") or stored["digest"] == incoming.digest:
        return None
    return stale(incoming, stored, "A supervisor has settled this record since.")


def stale(incoming: Incoming, stored: Document, message: str) -> Verdict:
    """Both versions, side by side."""
    return Verdict(ConflictType.STALE_REVISION, message, documents.differences(incoming.record, stored), stored)


def wrong_quantity(record: SyncRecord) -> Verdict | None:
    """0 <= damage <= verified."""
    verified, damage = record.verified_qty, record.damage_qty or 0.0
    if (verified is not None and verified < 0) or damage < 0:
        message = f"Quantities cannot be negative: verified {verified}, damaged {damage}."
    elif damage > (verified or 0.0):
        message = f"More damaged ({damage:g}) than counted ({'nothing' if verified is None else f'{verified:g}'})."
    else:
        return None
    return Verdict(
        ConflictType.INVALID_QUANTITY,
        message,
        (("damage_qty", damage, None), ("verified_qty", verified, None)),
    )


def contradicted(record: SyncRecord) -> Verdict | None:
    """Lot and expiry date must be those of the record's own barcode."""
    if (found := barcodes.contradiction(record)) is None:
        return None
    field, mine, read = found
    message = f"The record says {field} {mine}, its barcode says {read}. Look at the package and send it again."
    return Verdict(ConflictType.INVALID_DATA, message, (found,))


def fenced_off(session: Document | None, world: World) -> Verdict | None:
    """Late work is welcome while nobody has claimed the rack since. A record that moves needs both racks."""
    rack = world.racks.get(session["rack_id"] or "") if session else None
    if session is None or rack is None or rack["fence"] == session["fence"]:
        return None
    message = f"Rack {rack['_id']} was taken from session {session['_id']} since; somebody else may have counted it."
    return Verdict(ConflictType.RACK_LOCKED, message, (("fence", session["fence"], rack["fence"]),))


def taken_serial(record: SyncRecord, session: Document, world: World) -> Verdict | None:
    """A serial number is in one place. Counting its rack again in a later round moves the claim."""
    serials = record.serial_numbers or ()
    if len(set(serials)) < len(serials):
        twice = next(serial for serial in serials if serials.count(serial) > 1)
        return Verdict(ConflictType.DUPLICATE_SERIAL, f"Serial number {twice} stands twice in this record.")
    for serial in serials:
        owner = world.serials.get(serial)
        if owner is None or owner["client_record_id"] == record.client_record_id:
            continue
        if (
            owner["rack_id"] is not None
            and owner["rack_id"] == session["rack_id"]
            and owner["round"] < session["round"]
        ):
            continue
        message = f"Serial number {serial} was counted before, in record {owner['client_record_id']}."
        difference = ("serial_numbers", serial, owner["client_record_id"])
        return Verdict(ConflictType.DUPLICATE_SERIAL, message, (difference,), owner)
    return None


def counted_twice(record: SyncRecord, session: Document, world: World) -> Verdict | None:
    """One line is counted by one session in each round."""
    if session["rack_id"] is None:
        return None
    counted = world.lines.get((session["rack_id"], session["round"], record.item_code, record.bin or ""))
    if not counted:  # nearly always
        return None
    others = sorted(
        (rid, sid) for rid, sid in counted.items() if sid != session["_id"] and rid != record.client_record_id
    )
    if not others:
        return None
    other_record, other_session = others[0]
    place = f"bin {record.bin} of rack {session['rack_id']}" if record.bin else f"rack {session['rack_id']}"
    message = f"Item {record.item_code} in {place} was counted in this round by session {other_session} already."
    stored = world.records.get(other_record)
    differences = (
        documents.differences(record, stored) if stored else (("record", record.client_record_id, other_record),)
    )
    return Verdict(ConflictType.CONCURRENT_EDIT, message, differences, stored)
