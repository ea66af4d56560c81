"""What devices were told during a test: every batch that was sent, every answer and every grant."""

import threading
import time
from collections import defaultdict
from typing import Any, NamedTuple

Sent = dict[str, Any]
Answer = dict[str, Any]
Content = tuple[Any, ...]


class Delivery(NamedTuple):
    """A batch and the answer to it."""

    records: tuple[Sent, ...]
    answer: Answer


class Granted(NamedTuple):
    """A claim that was granted; wall-clock times of this machine around the call."""

    rack_id: str
    session_id: str
    fence: int
    asked_at: float
    told_at: float


class Acked(NamedTuple):
    """A record that was answered `ok`."""

    client_record_id: str
    content: Content


class Ledger:
    """Filled by many threads at once."""

    def __init__(self, mark: str) -> None:
        """`mark` begins the ids of all records that are sent."""
        self.mark = mark
        self.deliveries: list[Delivery] = []
        self.grants: list[Granted] = []
        self.sent: set[str] = set()
        self.trouble: list[str] = []
        self._lock = threading.Lock()

    def sending(self, records: list[Sent]) -> None:
        """A batch is about to leave the device; whether it arrives is not known."""
        with self._lock:
            self.sent |= {name_of(record) for record in records}

    def answered(self, records: list[Sent], answer: Answer) -> None:
        """A batch was answered with 200."""
        with self._lock:
            self.deliveries.append(Delivery(tuple(records), answer))
            self.trouble += wrong_reply(records, answer)

    def granted(self, grant: dict[str, Any], asked_at: float) -> None:
        """A claim was answered with 200."""
        row = Granted(grant["rack_id"], grant["session_id"], grant["fence"], asked_at, time.time())
        with self._lock:
            self.grants.append(row)

    def note(self, trouble: str) -> None:
        """Something that must not happen has happened."""
        with self._lock:
            self.trouble.append(trouble)

    def acked(self) -> set[Acked]:
        """Everything that was ever answered `ok`."""
        return {
            Acked(name_of(record), content(record))
            for delivery in self.deliveries
            for record, result in zip(delivery.records, delivery.answer["results"], strict=True)
            if result["success"]
        }

    def conflicts(self) -> dict[str, tuple[str, Sent]]:
        """Conflicts that devices were told of, by id: their type, and the record as it was sent."""
        found = {}
        for delivery in self.deliveries:
            names = {conflict["client_record_id"] for conflict in delivery.answer["conflicts"]}
            told = iter(delivery.answer["conflicts"])
            for record, result in zip(delivery.records, delivery.answer["results"], strict=True):
                if not result["success"] and name_of(record) in names:
                    conflict = next(told, None)
                    if conflict is not None:
                        found[conflict["details"]["conflict_id"]] = (conflict["conflict_type"], record)
        return found


def name_of(record: Sent) -> str:
    """The id of a record as replies repeat it."""
    return str(record.get("client_record_id", ""))


def content(record: Sent) -> Content:
    """What was counted, in a form that is equal for what was sent and for what is stored of it."""
    quantity = record["verified_qty"]
    return (
        record["session_id"],
        record["item_code"],
        record.get("bin") or "",
        None if quantity is None else float(quantity),
        float(record.get("damage_qty") or 0),
        tuple(record.get("serial_numbers") or ()),
        record.get("status", "finalized"),
    )


def wrong_reply(records: list[Sent], answer: Answer) -> list[str]:
    """Conservation: ok + conflicts + errors = sent, each record named once, in request order."""
    names, wrong = [name_of(record) for record in records], []
    if [result["id"] for result in answer["results"]] != names:
        wrong.append(f"results do not name the records in request order: {answer['results']}")
    if not answer["total_records"] == answer["processed_count"] == len(records):
        wrong.append(f"{len(records)} records were sent, {answer['total_records']} counted")
    good = [result["id"] for result in answer["results"] if result["success"]]
    bad = [result["id"] for result in answer["results"] if not result["success"]]
    if answer["ok"] != good:
        wrong.append(f"ok is {answer['ok']}, the results say {good}")
    others: dict[str, list[str]] = defaultdict(list)
    for kind in ("conflicts", "errors"):
        others[kind] = [entry["client_record_id"] for entry in answer[kind]]
    if sorted(others["conflicts"] + others["errors"]) != sorted(bad):
        wrong.append(f"conflicts and errors are {dict(others)}, the results say {bad}")
    return wrong
