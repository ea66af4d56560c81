"""Looks for all kinds of anomalies in a snapshot."""

from collections.abc import Callable, Sequence

import polars as pl
from msgspec import Struct

from analytics.anomalies import (
    always_book,
    digit_heaping,
    impossible_speed,
    serial_patterns,
    sudden_changes,
    variance_outliers,
)
from analytics.anomalies.flags import FLAG, Findings, flagged, ranked
from analytics.anomalies.frames import Files, Frames, frames
from analytics.anomalies.options import Options
from analytics.anomalies.places import placed
from analytics.lake import Freeze, Lake
from stockverify.datasets import POSITIONS, RECORDS
from stockverify.errors import BadInput
from stockverify.vocabulary import AnomalyKind

_DETECTORS: dict[AnomalyKind, Callable[[Frames, Options], Findings]] = {
    AnomalyKind.VARIANCE_OUTLIER: lambda frames, _: variance_outliers.find(frames),
    AnomalyKind.DIGIT_HEAPING: digit_heaping.find,
    AnomalyKind.ALWAYS_BOOK: always_book.find,
    AnomalyKind.IMPOSSIBLE_SPEED: impossible_speed.find,
    AnomalyKind.SUDDEN_CHANGE: lambda frames, _: sudden_changes.find(frames),
    AnomalyKind.SERIAL_PATTERN: serial_patterns.find,
}


class UnknownKind(BadInput):
    """There is no kind of anomaly {name!r}; use one of: {known}."""


class Anomalies(Struct, frozen=True):
    """What is odd in a snapshot. `flags` has the columns FLAG, the most severe first, at most `Options.shown` of each
    kind; `found` says how many there are of each. `previous` is the snapshot whose counts were the last ones."""

    freeze: Freeze
    previous: Freeze | None
    found: dict[str, int]
    flags: pl.DataFrame


def kinds_of(names: Sequence[str]) -> list[AnomalyKind]:
    """The kinds of these names; all if there are none. Raises UnknownKind."""
    for name in names:
        if name not in list(AnomalyKind):
            raise UnknownKind(name=name[:80], known=", ".join(AnomalyKind))
    return [AnomalyKind(name) for name in dict.fromkeys(names)] or list(AnomalyKind)


def detected(files: Files, kinds: Sequence[AnomalyKind], options: Options) -> tuple[dict[str, int], pl.DataFrame]:
    """How many flags of each kind there are, and the flags of all, ranked. Memory is that of `analytics.engine`."""
    with frames(files, options) as tables:
        found = {kind: _DETECTORS[kind](tables, options) for kind in kinds}
        flags = [flagged(kind, each.rows) for kind, each in found.items()]
        every = placed(tables, ranked(pl.concat(flags))) if flags else pl.DataFrame(schema=FLAG)
    return {str(kind): each.total for kind, each in found.items()}, every


def find(
    lake: Lake,
    snapshot_id: str,
    kinds: Sequence[str] = (),
    against: str | None = None,
    options: Options | None = None,
) -> Anomalies:
    """The anomalies of a snapshot, of these kinds or of all; sudden changes are those against the snapshot `against`,
    or against the one taken before. Raises UnknownKind, or what the lake raises."""
    wanted, earlier = kinds_of(kinds), against or _before(lake, snapshot_id)
    files = Files(
        positions=lake.files(POSITIONS.name, snapshot_id),
        records=lake.files(RECORDS.name, snapshot_id),
        previous=lake.files(POSITIONS.name, earlier) if earlier else (),
    )
    found, flags = detected(files, wanted, options or Options())
    return Anomalies(lake.freeze(snapshot_id), lake.freeze(earlier) if earlier else None, found, flags)


def _before(lake: Lake, snapshot_id: str) -> str | None:
    """The newest whole snapshot that is older; ids begin with the time."""
    return next((freeze.snapshot_id for freeze in lake.freezes() if freeze.snapshot_id < snapshot_id), None)
