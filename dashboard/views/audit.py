"""The audit log as a table, and whether its chain holds."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import polars as pl

from stockverify import activity
from stockverify.activity import Head
from stockverify.wire.activity import ActivityEntry
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
            "action": entry.action,
            "username": entry.username,
            "subject": entry.subject,
            "details": msgspec.json.encode(entry.details).decode() if entry.details else "",
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
            "kind": run.kind,
            "status": run.status,
            "seconds": None if run.finished_at is None else max(0.0, run.finished_at - run.requested_at),
            "requested_by": run.requested_by,
            "snapshot": run.snapshot_id,
            "error": run.error,
        }
        for run in found
    ]
    return pl.DataFrame(rows, schema=_RUNS)


def verdict(chain: Sequence[ActivityEntry]) -> Verdict:
    """Every hash computed anew from what the entries say, oldest first. The first entry is taken to follow what it says
    that it follows; the whole chain, and heads noted before, are looked at by `stockverify doctor`."""
    if not chain:
        return Verdict(True, "The audit log is empty.")
    first, last = chain[0], chain[-1]
    start = Head(first.sequence - 1, first.previous)
    wrong = list(islice(activity.problems(map(_stored, chain), start=start), _SHOWN))
    if wrong:
        return Verdict(False, f"The chain is broken: {'; '.join(wrong)}. Run `stockverify doctor` for all of it.")
    return Verdict(True, f"Entries {first.sequence:,} to {last.sequence:,} hold together: {len(chain):,} looked at.")


def _stored(entry: ActivityEntry) -> dict[str, Any]:
    """An entry with the names and types under which it was sealed."""
    return msgspec.structs.asdict(entry) | {"_id": entry.id, "at": _instant(entry.at)}


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
