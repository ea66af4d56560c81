"""Racks, sessions and conflicts: what they name exists, and no session has a younger fence than its rack."""

from collections.abc import Iterator

from jobs.integrity.faults import Check, Fault
from jobs.integrity.reading import Reading
from stockverify.clients import Document
from stockverify.vocabulary import Collection


def sessions(reading: Reading) -> Iterator[Fault]:
    """All sessions that are on a rack. The fence only ever rises: one that is older than a session's was set back."""
    for chunk in reading.chunks(Collection.SESSIONS, ["rack_id", "fence"]):
        racks = reading.among(Collection.RACKS, {each["rack_id"] for each in chunk}, ["fence"])
        for session in chunk:
            if (rack_id := session["rack_id"]) is None:
                continue
            if rack_id not in racks:
                yield Fault(Check.FENCES, f"Session {session['_id']} is on rack {rack_id}, which does not exist.")
            elif racks[rack_id]["fence"] < session["fence"]:
                says = f"Rack {rack_id} has fence {racks[rack_id]['fence']}, and its session {session['_id']} has "
                yield Fault(Check.FENCES, f"{says}{session['fence']}: fences never fall.")


def racks(reading: Reading) -> Iterator[Fault]:
    """All racks: the session that one names exists, and is on it."""
    for chunk in reading.chunks(Collection.RACKS, ["session_id"]):
        known = reading.among(Collection.SESSIONS, {each["session_id"] for each in chunk}, ["rack_id"])
        for rack in chunk:
            named = rack["session_id"]
            if named is not None and known.get(named, {}).get("rack_id") != rack["_id"]:
                says = f"Rack {rack['_id']} names session {named}, which does not exist or is on another rack."
                yield Fault(Check.FENCES, says)


def conflicts(reading: Reading) -> Iterator[Fault]:
    """All conflicts: the record that stands against what was sent exists."""
    fields = ["server_data._id", "server_data.digest", "server_data.client_record_id"]
    for chunk in reading.chunks(Collection.CONFLICTS, fields):
        named = {each["_id"]: _against(each) for each in chunk}
        known = reading.among(Collection.RECORDS, set(named.values()), ["_id"])
        for conflict_id, record_id in named.items():
            if record_id is not None and record_id not in known:
                says = f"Conflict {conflict_id} is with record {record_id}, which does not exist."
                yield Fault(Check.CONFLICTS, says)


def _against(conflict: Document) -> str | None:
    """The id of the record on the other side: its own document, or that of the claim on a serial number."""
    server = conflict.get("server_data")
    if not server:
        return None
    found: str | None = server["_id"] if "digest" in server else server.get("client_record_id")
    return found
