"""What is stored about the records of a batch, as far as a decision needs it."""

from dataclasses import dataclass, field

from ingest.sync import documents
from stockverify.clients import Document

Line = tuple[str, int, str, str]


@dataclass
class World:
    """Everything by id. Deciding keeps it up to date, so that later records see what earlier ones did."""

    records: dict[str, Document] = field(default_factory=dict)
    conflicts: dict[str, Document] = field(default_factory=dict)
    sessions: dict[str, Document] = field(default_factory=dict)
    racks: dict[str, Document] = field(default_factory=dict)
    serials: dict[str, Document] = field(default_factory=dict)
    lines: dict[Line, dict[str, str]] = field(default_factory=dict)
    known_items: set[str] = field(default_factory=set)
    known_history: set[str] = field(default_factory=set)

    def note(self, record: Document) -> None:
        """Remember an accepted record for those that follow in the batch."""
        if before := self.records.get(record["_id"]):
            self._forget(before)
        self.records[record["_id"]] = record
        self.note_line(record)
        for serial in record["serial_numbers"]:
            self.serials[serial] = documents.serial_claim(serial, record)

    def note_line(self, record: Document) -> None:
        """Remember what an accepted record counts."""
        if record["rack_id"] is not None:
            self.lines.setdefault(line_of(record), {})[record["_id"]] = record["session_id"]

    def _forget(self, before: Document) -> None:
        """A newer version gives back the line and the serial numbers of the version before it."""
        if before["rack_id"] is not None:
            self.lines.get(line_of(before), {}).pop(before["_id"], None)
        for serial in before["serial_numbers"]:
            if self.serials.get(serial, {}).get("client_record_id") == before["_id"]:
                del self.serials[serial]


def line_of(record: Document) -> Line:
    """Where a record counts: rack, round, item and bin (empty for none)."""
    return (record["rack_id"], record["round"], record["item_code"], record["bin"] or "")
