"""The figures once more, in plain Python and row by row, from what docs/figures.md says and not from the code."""

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

Row = dict[str, Any]


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def stock(rows: Iterable[Row], units: float, share: float) -> dict[str, float | None]:
    """The figures over positions."""
    sums: dict[str, float] = defaultdict(float)
    for row in rows:
        sums["lines"] += 1
        if not row["counted"]:
            continue
        _line(sums, {name: _number(value) if isinstance(value, float) else value for name, value in row.items()})
        _right(sums, row, units, share)
    figures: dict[str, float | None] = {name: sums[name] for name in SUMS}
    return figures | {
        "progress": _share(sums["counted_lines"], sums["lines"]),
        "shrinkage_rate": _share(sums["shrinkage_value"], sums["book_value"]),
        "damage_rate": _share(sums["damage_units"], sums["verified_units"]),
        "accuracy": _share(sums["right"], sums["counted_lines"]),
        "accuracy_by_value": _share(max(sums["size"] - sums["off"], 0.0), sums["size"]),
        "recount_rate": _share(sums["recounted_lines"], sums["counted_lines"]),
    }


SUMS = (
    *("lines", "counted_lines", "book_units", "verified_units", "net_variance_units", "gross_variance_units"),
    *("book_value", "verified_value", "net_variance_value", "gross_variance_value", "shrinkage_value"),
    *("damage_units", "recounted_lines", "uncosted_lines", "uncosted_units"),
)


def _line(sums: dict[str, float], row: Row) -> None:
    sums["counted_lines"] += 1
    sums["recounted_lines"] += row["round"] is not None and row["round"] >= 2
    sums["book_units"] += row["book_qty"] or 0.0
    sums["verified_units"] += row["verified_qty"] or 0.0
    sums["damage_units"] += row["damage_qty"] or 0.0
    sums["net_variance_units"] += row["variance_qty"] or 0.0
    sums["gross_variance_units"] += abs(row["variance_qty"] or 0.0)
    if (value := row["variance_value"]) is not None:
        cost = row["unit_cost"] or 0.0
        sums["book_value"] += (row["book_qty"] or 0.0) * cost
        sums["size"] += abs((row["book_qty"] or 0.0) * cost)
        sums["verified_value"] += (row["verified_qty"] or 0.0) * cost
        sums["net_variance_value"] += value
        sums["gross_variance_value"] += abs(value)
        sums["shrinkage_value"] -= value
    else:
        sums["uncosted_lines"] += 1
        sums["uncosted_units"] += abs(row["variance_qty"] or 0.0)


def _right(sums: dict[str, float], row: Row, units: float, share: float) -> None:
    variance, value, book = (_number(row[name]) for name in ("variance_qty", "variance_value", "book_qty"))
    right = variance is not None and abs(variance) <= round(max(units, abs(book or 0.0) * share), 6)
    sums["right"] += right
    sums["off"] += 0.0 if right or value is None else abs(value)


def work(records: list[Row], sessions: list[Row]) -> dict[str, float | None]:
    """The figures over counts and sessions."""
    return _figures(*_counted(records), sessions)


def work_by_counter(records: list[Row], sessions: list[Row]) -> list[dict[str, Any]]:
    """The same of each counter, those without a name first. A gap belongs to who ended it."""
    counts, gaps = _counted(records)
    found = []
    for counter in sorted({row["username"] for row in counts}, key=lambda name: (name is not None, name)):
        own = [row for row in counts if row["username"] == counter]
        ended = [(row, seconds) for row, seconds in gaps if row["username"] == counter]
        found.append({"counter": counter} | _figures(own, ended, sessions))
    return found


def _counted(records: list[Row]) -> tuple[list[Row], list[tuple[Row, float]]]:
    """The counts, and the gaps that are no break, each with the count that ended it."""
    counts = [row for row in records if row["status"] == "finalized" and row["verified_qty"] is not None]
    times: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(counts, key=lambda row: (row["created_at"], row["client_record_id"])):
        if row["session_id"] is not None:
            times[row["session_id"]].append(row)
    gaps = [
        (after, (after["created_at"] - before["created_at"]).total_seconds())
        for one in times.values()
        for before, after in pairwise(one)
    ]
    return counts, [(row, gap) for row, gap in gaps if gap <= 15 * 60]


def _figures(counts: list[Row], gaps: list[tuple[Row, float]], sessions: list[Row]) -> dict[str, float | None]:
    claimed = {row["session_id"]: row["started_at"] for row in sessions if row["rack_id"] is not None}
    seconds = sum(gap for _, gap in gaps)
    return {
        "counts": len(counts),
        "counting_hours": seconds / 3600,
        "items_per_hour": len(gaps) / (seconds / 3600) if seconds else None,
        "time_to_sync": median(_waited(row, claimed) for row in counts) if counts else None,
    }


def _waited(row: Row, claimed: dict[str, datetime]) -> float:
    seconds: float = (row["received_at"] - row["updated_at"]).total_seconds()
    since = claimed.get(row["session_id"])
    longest = math.inf if since is None else (row["received_at"] - since).total_seconds()
    return max(min(seconds, longest), 0.0)
