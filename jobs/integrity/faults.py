"""What the checks find, in bounded memory however much is wrong."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import msgspec

SHOWN = 20


class Check(StrEnum):
    """What is looked at; docs/decisions/0035 says what each means."""

    INDEXES = "indexes"
    LINES = "lines counted once"
    SERIALS = "serial numbers"
    SESSIONS = "records and sessions"
    FENCES = "racks and fences"
    HISTORY = "history"
    CONFLICTS = "conflicts"
    AUDIT_LOG = "audit log"
    SNAPSHOTS = "snapshots"
    BACKUPS = "backups"


class Fault(NamedTuple):
    """One thing that is wrong, in a sentence that says where."""

    check: Check
    says: str


class Tally(msgspec.Struct):
    """How many faults a check has found, and the first of them."""

    faults: int = 0
    first: list[str] = []

    def add(self, says: str) -> None:
        """One more."""
        self.faults += 1
        if len(self.first) < SHOWN:
            self.first.append(says)


def tallied(faults: Iterable[Fault]) -> dict[Check, Tally]:
    """The tally of each check that has found anything."""
    found: dict[Check, Tally] = {}
    for fault in faults:
        found.setdefault(fault.check, Tally()).add(fault.says)
    return found


def occasion(check: Check, tally: Tally) -> str:
    """The same for as long as the same is wrong, so that it is told once, and another one when something is added."""
    said = msgspec.json.encode([tally.faults, tally.first])
    return f"integrity:{check.name.lower()}:{hashlib.sha256(said).hexdigest()[:16]}"


def told(check: Check, tally: Tally) -> str:
    """What a person reads of it."""
    lines = "\n".join(f"- {says}" for says in tally.first)
    more = f"\n… and {tally.faults - len(tally.first):,} more" if tally.faults > len(tally.first) else ""
    return f"{lines}{more}"
