"""The audit log as a table, and whether its chain holds."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import polars as pl

from dashboard.views.deeds import deed, details
from dashboard.views.schedules import KINDS, RUN_STATES
from stockverify.vocabulary import RunKind, RunStatus
from stockverify.wire.activity import ActivityEntry, ChainCheck
from stockverify.wire.reports import Run

_INSTANT = pl.Datetime("ms", "UTC")
_SHOWN = 5
_ENTRIES: dict[str, Any] = {
    "sequence": pl.Int64,
    "at": _INSTANT,
    "action": pl.String,
    "username": pl.String,
    "subject": pl.String,
    "details": pl.String,
    "device": pl.String,
}
_RUNS: dict[str, Any] = {
    "requested_at": _INSTANT,
    "kind": pl.String,
    "status": pl.String,
    "seconds": pl.Float64,
    "requested_by": pl.String,
    "snapshot": pl.String,
    "error": pl.String,
}


class Verdict(NamedTuple):
    """Whether the entries that were looked at hold together, in words."""

    holds: bool
    text: str


def entries(found: Iterable[ActivityEntry]) -> pl.DataFrame:
    """A row for each entry."""
    rows = [
        {
            "sequence": entry.sequence,
            "at": _instant(entry.at),
            "action": deed(entry.action),
            "username": entry.username,
            "subject": entry.subject,
            "details": details(entry.details),
            "device": entry.device_id,
        }
        for entry in found
    ]
    return pl.DataFrame(rows, schema=_ENTRIES)


def runs(found: Iterable[Run]) -> pl.DataFrame:
    """A row for each run of the worker."""
    rows = [
        {
            "requested_at": _instant(run.requested_at),
            "kind": KINDS[RunKind(run.kind)],
            "status": RUN_STATES[RunStatus(run.status)],
            "seconds": None if run.finished_at is None else max(0.0, run.finished_at - run.requested_at),
            "requested_by": run.requested_by,
            "snapshot": run.snapshot_id,
            "error": run.error,
        }
        for run in found
    ]
    return pl.DataFrame(rows, schema=_RUNS)


def verdict(found: ChainCheck) -> Verdict:
    """What the service found when it computed the hashes anew. Heads noted before are looked at by `stockverify doctor`
    and by the nightly check."""
    if not found.holds:
        wrong = "; ".join(found.problems[:_SHOWN])
        return Verdict(False, f"The chain is broken: {wrong}. Run `stockverify doctor` for all of it.")
    if not found.end:
        return Verdict(True, "The audit log is empty.")
    together = f"Entries {found.first:,} to {found.last:,} hold together"
    if found.last < found.end:
        return Verdict(True, f"{together}; {found.end - found.last:,} newer ones are still to be checked. Press again.")
    return Verdict(True, f"{together}: all of them are the ones that were sealed.")


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
