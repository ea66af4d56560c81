"""The audit log: whether its chain of hashes holds, also against the end that the run before has seen."""

from collections.abc import Iterator

from jobs.integrity.faults import Check, Fault
from jobs.integrity.reading import Reading
from stockverify import activity
from stockverify.activity import EMPTY, Head
from stockverify.clients import Document
from stockverify.vocabulary import Collection

_FIELDS = (
    "at",
    "action",
    "user_id",
    "username",
    "device_id",
    "subject",
    "details",
    "request_id",
    "sequence",
    "previous",
    "hash",
)


class AuditLog:
    """Reads the chain once; `head` is its end then."""

    def __init__(self, noted: Head = EMPTY) -> None:
        self._noted, self.head = noted, EMPTY

    def faults(self, reading: Reading) -> Iterator[Fault]:
        """What is wrong with the chain, if anything."""
        for says in activity.problems(self._sealed(reading), self._noted):
            yield Fault(Check.AUDIT_LOG, f"The audit log: {says}.")

    def _sealed(self, reading: Reading) -> Iterator[Document]:
        wanted = {"sequence": {"$gt": 0}}
        for chunk in reading.chunks(Collection.ACTIVITY_LOGS, _FIELDS, [("sequence", 1)], wanted):
            for entry in chunk:
                self.head = Head(entry["sequence"], entry["hash"])
                yield entry
