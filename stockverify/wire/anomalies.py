"""What is odd in a snapshot. docs/anomalies.md says what each kind means."""

from typing import Annotated

from msgspec import Meta

from stockverify.vocabulary import AnomalyKind, FlagState
from stockverify.wire.common import Id, Reply, Request
from stockverify.wire.reports import Pagination

MOST_RACKS = 100
Why = Annotated[str, Meta(min_length=3, max_length=1000)]


class Flag(Reply, frozen=True, kw_only=True):
    """Something that somebody should look at. `proof` holds the keys of rows of `dataset`, the first of `proof_rows`,
    and `racks` and `counters` are those of these rows; `flag_id` is the same in every snapshot that has it."""

    flag_id: str
    kind: AnomalyKind
    severity: float
    subject_type: str
    subject: str
    why: str
    baseline: str
    dataset: str
    proof: list[list[str]]
    proof_rows: int
    racks: list[str]
    counters: list[str]


class AnomaliesReply(Reply, frozen=True, kw_only=True):
    """The most severe flags of a snapshot, and how many there are of each kind in all. `previous_id` is the snapshot
    that sudden changes are told against."""

    snapshot_id: str
    as_of: float
    previous_id: str | None
    found: dict[str, int]
    flags: list[Flag]


class DismissFlag(Request, frozen=True, kw_only=True):
    """POST /api/reports/flags/{flag_id}/dismiss"""

    note: Why


class AskRecount(Request, frozen=True, kw_only=True):
    """POST /api/reports/flags/{flag_id}/recount; without `rack_ids` all racks of the flag."""

    reason: Why
    rack_ids: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MOST_RACKS)] | None = None


class Dismissal(Reply, frozen=True, kw_only=True):
    """Who said that a flag needs no look, when, and why."""

    by: str
    at: float
    note: str


class Recount(Reply, frozen=True, kw_only=True):
    """Who had which racks of a flag counted again, when, and why; the latest one."""

    by: str
    at: float
    reason: str
    racks: list[str]


class KeptFlag(Flag, frozen=True, kw_only=True):
    """A flag with what people have said about it, and the snapshots that had it first and last."""

    state: FlagState
    first_snapshot_id: str
    last_snapshot_id: str
    first_seen_at: float
    last_seen_at: float
    dismissed: Dismissal | None
    recount: Recount | None


class Scan(Reply, frozen=True, kw_only=True):
    """Which snapshot was looked at, and when."""

    snapshot_id: str
    at: float


class KeptFlags(Reply, frozen=True, kw_only=True):
    """Flags, the most severe first; `scan` is the latest one that succeeded, and `by_state` counts all there are."""

    scan: Scan | None
    by_state: dict[FlagState, int]
    flags: list[KeptFlag]
    pagination: Pagination


class NotOpened(Reply, frozen=True, kw_only=True):
    """A rack that could not be opened for another round, and why."""

    rack_id: str
    reason: str


class RecountAsked(Reply, frozen=True, kw_only=True):
    """What became of each rack of a flag."""

    flag: KeptFlag
    opened: list[str]
    refused: list[NotOpened]
