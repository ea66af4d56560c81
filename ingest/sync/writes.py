"""What a decided batch writes, as plain values."""

from dataclasses import dataclass, field

from stockverify.clients import Document


@dataclass
class Writes:
    """Everything that one batch writes, all or nothing. Keys are ids, so a record written twice is written once."""

    inserts: dict[str, Document] = field(default_factory=dict)
    updates: dict[str, Document] = field(default_factory=dict)
    replaced: dict[str, Document] = field(default_factory=dict)
    history: dict[str, Document] = field(default_factory=dict)
    conflicts: dict[str, Document] = field(default_factory=dict)
    sessions: dict[str, Document] = field(default_factory=dict)
    new_serials: dict[str, Document] = field(default_factory=dict)
    moved_serials: dict[str, tuple[str, Document]] = field(default_factory=dict)
    freed_serials: dict[str, str] = field(default_factory=dict)
    racks: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.inserts or self.updates or self.history or self.conflicts or self.sessions)

    def note_serials(self, before: dict[str, Document], after: dict[str, Document]) -> None:
        """What must be written so that the claims on serial numbers are as they are after the batch."""
        for serial, claim in after.items():
            owner = before.get(serial)
            if owner is None:
                self.new_serials[serial] = claim
            elif owner != claim:
                self.moved_serials[serial] = (owner["client_record_id"], claim)
        self.freed_serials = {
            serial: owner["client_record_id"] for serial, owner in before.items() if serial not in after
        }
