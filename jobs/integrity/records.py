"""Records: each line is counted once in a round, each belongs to a session, and its serial numbers are its own."""

from collections.abc import Iterator
from typing import Any

from jobs.integrity.faults import Check, Fault
from jobs.integrity.reading import Reading
from stockverify.clients import Document
from stockverify.vocabulary import Collection, RecordStatus

_LINE = ("rack_id", "round", "item_code", "bin")
_FIELDS = (*_LINE, "session_id", "status", "settled", "serial_numbers")


def records(reading: Reading) -> Iterator[Fault]:
    """All records, in the order of their lines, so that the counts of one line come one after the other."""
    before: Document | None = None
    for chunk in reading.chunks(Collection.RECORDS, _FIELDS, [(name, 1) for name in _LINE]):
        sessions = reading.among(Collection.SESSIONS, {each["session_id"] for each in chunk}, ["_id"])
        yield from _without_session(chunk, sessions)
        yield from _not_owned(reading, chunk)
        for record in chunk:
            if _counts(record):
                yield from _second_count(before, record)
                before = record


def _counts(record: Document) -> bool:
    """A supervisor may have settled that two counts stand side by side."""
    return record["rack_id"] is not None and record["status"] == RecordStatus.FINALIZED and not record.get("settled")


def _second_count(before: Document | None, record: Document) -> Iterator[Fault]:
    if before is None or before["session_id"] == record["session_id"]:
        return
    if [before[name] for name in _LINE] == [record[name] for name in _LINE]:
        place = f"item {record['item_code']} in rack {record['rack_id']} bin {record['bin'] or '-'}"
        yield Fault(
            Check.LINES,
            f"In round {record['round']} {place} is counted by two sessions, in records {before['_id']} and "
            f"{record['_id']}.",
        )


def _without_session(chunk: list[Document], sessions: dict[Any, Document]) -> Iterator[Fault]:
    """What a supervisor has accepted may be of a session that never arrived."""
    for record in chunk:
        if record["session_id"] not in sessions and not record.get("settled"):
            says = f"Record {record['_id']} is of session {record['session_id']}, which does not exist."
            yield Fault(Check.SESSIONS, says)


def _not_owned(reading: Reading, chunk: list[Document]) -> Iterator[Fault]:
    listing = [record for record in chunk if record["serial_numbers"]]
    serials = {serial for record in listing for serial in record["serial_numbers"]}
    owners = reading.among(Collection.SERIALS, serials, ["client_record_id", "rack_id", "round"])
    racks = reading.among(Collection.RACKS, {record["rack_id"] for record in listing}, ["round"])
    for record in listing:
        for serial in record["serial_numbers"]:
            if not _is_owned(record, owners.get(serial), racks.get(record["rack_id"])):
                owner = owners[serial]["client_record_id"] if serial in owners else "nobody"
                says = f"Record {record['_id']} lists serial number {serial}, which belongs to {owner}."
                yield Fault(Check.SERIALS, says)


def _is_owned(record: Document, owner: Document | None, rack: Document | None) -> bool:
    """Only the latest round of a rack must own what it lists: a later one takes the serial numbers over, may let go of
    them, and then they may turn up anywhere."""
    if rack is not None and record["round"] < rack["round"]:
        return True
    if owner is None:
        return False
    if owner["client_record_id"] == record["_id"]:
        return True
    return record["rack_id"] is not None and owner["rack_id"] == record["rack_id"] and owner["round"] != record["round"]


def serials(reading: Reading) -> Iterator[Fault]:
    """All claims on serial numbers: the record that has one exists, and lists it."""
    for chunk in reading.chunks(Collection.SERIALS, ["client_record_id"]):
        owners = reading.among(Collection.RECORDS, {each["client_record_id"] for each in chunk}, ["serial_numbers"])
        for claim in chunk:
            owner = owners.get(claim["client_record_id"])
            if owner is None or claim["_id"] not in owner["serial_numbers"]:
                says = f"Serial number {claim['_id']} belongs to record {claim['client_record_id']}, which "
                says += "does not exist." if owner is None else "does not list it."
                yield Fault(Check.SERIALS, says)


def history(reading: Reading) -> Iterator[Fault]:
    """All former versions: their record exists."""
    for chunk in reading.chunks(Collection.RECORD_HISTORY, ["client_record_id"], [("client_record_id", 1)]):
        known = reading.among(Collection.RECORDS, {each["client_record_id"] for each in chunk}, ["_id"])
        for version in chunk:
            if version["client_record_id"] not in known:
                says = f"Version {version['_id']} is of record {version['client_record_id']}, which does not exist."
                yield Fault(Check.HISTORY, says)
