"""Flags as tables and in words: the list, what people said, which racks can be counted again, where the rows are."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from analytics.glance.numbers import amount
from dashboard.times import shown
from dashboard.views.floor import STATES
from stockverify.datasets import POSITIONS, RECORDS
from stockverify.vocabulary import AnomalyKind, FlagState, RackState
from stockverify.wire.anomalies import KeptFlag, RecountAsked
from stockverify.wire.racks import FloorRack
from stockverify.wire.reports import QuerySpec

KINDS = {
    AnomalyKind.VARIANCE_OUTLIER: "Variance outlier",
    AnomalyKind.DIGIT_HEAPING: "Guessed counts",
    AnomalyKind.ALWAYS_BOOK: "Always the book",
    AnomalyKind.IMPOSSIBLE_SPEED: "Impossible speed",
    AnomalyKind.SUDDEN_CHANGE: "Sudden change",
    AnomalyKind.SERIAL_PATTERN: "Serial numbers",
}
EVIDENCE = {
    POSITIONS.name: (
        *("rack_id", "bin", "item_code", "book_qty", "verified_qty", "variance_qty", "variance_value"),
        *("counted_by", "counted_at", "round", "item_name"),
    ),
    RECORDS.name: (
        *("rack_id", "bin", "item_code", "verified_qty", "damage_qty", "serial_numbers", "username", "created_at"),
        *("received_at", "round", "session_id", "client_record_id"),
    ),
}
"""The columns of a dataset that prove something, in the order in which they are shown."""

_NAMED = 3
_LIST: dict[str, Any] = {
    "severity": pl.Float64,
    "kind": pl.String,
    "subject": pl.String,
    "racks": pl.String,
    "counters": pl.String,
    "why": pl.String,
    "first_seen": pl.Datetime("ms", "UTC"),
    "said": pl.String,
}


class Way(NamedTuple):
    """The question whose rows a flag is about, and what they are, in words."""

    question: QuerySpec
    label: str


class Choice(NamedTuple):
    """The racks of a flag: those that can be opened for another round now, and why the others cannot."""

    completed: list[str]
    others: str


def table(flags: Iterable[KeptFlag]) -> pl.DataFrame:
    """A row for each flag."""
    rows = [
        {
            "severity": flag.severity,
            "kind": KINDS[flag.kind],
            "subject": subject(flag),
            "why": flag.why,
            "racks": some(flag.racks),
            "counters": some(flag.counters),
            "first_seen": _instant(flag.first_seen_at),
            "said": _said(flag),
        }
        for flag in flags
    ]
    return pl.DataFrame(rows, schema=_LIST)


def to_look_at(number: int) -> str:
    """How many nobody has said anything about yet, in words."""
    return f"{amount(number, 'lines') if number else 'No'} anomal{'y' if number in (0, 1) else 'ies'} to look at"


def name(flag: KeptFlag) -> str:
    """A flag in a list of choices."""
    return f"{KINDS[flag.kind]} · {subject(flag)}"


def subject(flag: KeptFlag) -> str:
    """What a flag is about, as people know it: of a session, who counted where."""
    if flag.subject_type == "session" and flag.counters and flag.racks:
        return f"{some(flag.counters)} on {some(flag.racks)}"
    return flag.subject


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def strength(severity: float) -> str:
    """How many times its own limit a flag is; docs/anomalies.md says how the two are related."""
    return f"{1 / (1 - severity):,.1f} times its limit" if severity < 1 else "far beyond its limit"


def proves(flag: KeptFlag, shown_rows: int) -> str:
    """How many of the rows that prove it are shown."""
    if flag.proof_rows == shown_rows:
        return "The row that proves it" if shown_rows == 1 else f"All {shown_rows:,} rows that prove it"
    return f"The first {shown_rows:,} of {flag.proof_rows:,} rows that prove it"


def way(flag: KeptFlag) -> Way:
    """The rows that prove it: the line, the records, or all that the counter or the session counted."""
    if flag.subject_type == "counter":
        filters: dict[str, Any] = {"counted_by": flag.subject}
        return Way(QuerySpec(collection=POSITIONS.name, filters=filters), f"Open all lines that {flag.subject} counted")
    if flag.subject_type == "session":
        return Way(
            QuerySpec(collection=RECORDS.name, filters={"session_id": flag.subject}), "Open all records of the session"
        )
    if flag.dataset == RECORDS.name:
        ids = [key[0] for key in flag.proof]
        return Way(QuerySpec(collection=RECORDS.name, filters={"client_record_id": {"in": ids}}), "Open these records")
    line = dict(zip(POSITIONS.key, flag.proof[0], strict=True)) if flag.proof else {}
    return Way(QuerySpec(collection=POSITIONS.name, filters=line), "Open this line")


def dismissal(flag: KeptFlag, zone: ZoneInfo) -> str:
    """Who dismissed it and why, in a sentence; empty when nobody did."""
    said = flag.dismissed
    return f"Dismissed by {said.by} at {shown(_instant(said.at), zone)}: {said.note}" if said else ""


def recount(flag: KeptFlag, zone: ZoneInfo) -> str:
    """Who asked for the latest recount, of what and why; empty when nobody did."""
    said = flag.recount
    if said is None:
        return ""
    return f"{said.by} asked for a recount of {some(said.racks)} at {shown(_instant(said.at), zone)}: {said.reason}"


def choice(flag: KeptFlag, racks: Iterable[FloorRack]) -> Choice:
    """Which racks of the flag can be counted again."""
    states = {rack.rack_id: rack.status for rack in racks}
    completed = [rack for rack in flag.racks if states.get(rack) is RackState.COMPLETED]
    others = [
        f"{rack}: {STATES[states[rack]].lower() if rack in states else 'not known'}"
        for rack in flag.racks
        if rack not in completed
    ]
    return Choice(completed, "; ".join(others))


def outcome(asked: RecountAsked) -> str:
    """What became of each rack."""
    opened = f"Open for another counting round: {', '.join(asked.opened)}." if asked.opened else ""
    return " ".join([*([opened] if opened else []), *(each.reason for each in asked.refused)])


def _said(flag: KeptFlag) -> str:
    if flag.dismissed:
        return f"Dismissed by {flag.dismissed.by}: {flag.dismissed.note}"
    recounted = f"Recount asked by {flag.recount.by}" if flag.recount else ""
    return "No longer found" if flag.state is FlagState.GONE and not recounted else recounted


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
