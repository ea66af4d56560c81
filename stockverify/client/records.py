"""What a device keeps of each count, and what can become of it. Plain frozen values, shared by queue and sync."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from stockverify.wire.sync import SyncRecord


class State(StrEnum):
    """Where a count stands. `in_flight` lives in memory only, so that a crash by itself returns it to the queue."""

    QUEUED = "queued"
    IN_FLIGHT = "in_flight"
    ACKED = "acked"
    CONFLICT = "conflict"
    PARKED = "parked"


class Entry(NamedTuple):
    """A count as the device shows it."""

    record: SyncRecord
    revision: int
    state: State
    unconfirmed: bool
    attempts: int
    last_error: str | None

    @property
    def client_record_id(self) -> str:
        """The name that it has on the device and on the service."""
        return self.record.client_record_id


class Sending(NamedTuple):
    """One revision of a count on its way, as the JSON that travels."""

    client_record_id: str
    revision: int
    content: bytes
    attempts: int


class Conflict(NamedTuple):
    """A revision that the service kept aside for a supervisor, and why."""

    client_record_id: str
    revision: int
    conflict_type: str
    message: str
    details: dict[str, Any]


class Counts(NamedTuple):
    """How many counts stand where."""

    queued: int = 0
    in_flight: int = 0
    acked: int = 0
    conflicts: int = 0
    parked: int = 0


class Accepted(msgspec.Struct, frozen=True):
    """The service has it."""


class SetAside(msgspec.Struct, frozen=True):
    """The service has it, as a conflict."""

    conflict_type: str
    message: str
    details: dict[str, Any]


class NotTaken(msgspec.Struct, frozen=True):
    """The service refused this very record."""

    message: str


Outcome = Accepted | SetAside | NotTaken


class Progress(msgspec.Struct, frozen=True):
    """How far sending is, for whoever shows it."""

    queued: int = 0
    in_flight: int = 0
    acked: int = 0
    conflicts: int = 0
    parked: int = 0
    last_error: str | None = None
    offline: bool = False

    @property
    def waiting(self) -> int:
        """Counts that the service has not answered for yet."""
        return self.queued + self.in_flight


Watcher = Callable[[Progress], None]
