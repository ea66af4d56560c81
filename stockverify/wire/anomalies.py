"""What is odd in a snapshot. docs/anomalies.md says what each kind means."""

from stockverify.vocabulary import AnomalyKind
from stockverify.wire.common import Reply


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
