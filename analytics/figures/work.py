"""The figures over counts and sessions: how fast people count, and how soon what they count arrives."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from msgspec import Struct

from analytics.engine import engine, frame, texts
from analytics.figures.declared import Figure

LONG_GAP_SECONDS = 900
"""Who counts nothing for a quarter of an hour does something else: a break, another job, the way elsewhere."""

_PACE = "gaps longer than 15 minutes are left out"
_OURS = "docs/decisions/0024"

WORK: tuple[Figure, ...] = (
    Figure("counts", "Counts", "lines", "finalized records, of all rounds", _OURS, "neither", "count(*)"),
    Figure(
        "counting_hours",
        "Counting time",
        "hours",
        f"sum of the gaps between one count of a session and the next, by the device's clock; {_PACE}",
        _OURS,
        "neither",
        "round(coalesce(sum(gap), 0) / 3600000, 6)",
    ),
    Figure(
        "items_per_hour",
        "Items per hour",
        "per hour",
        f"gaps between one count of a session and the next / the sum of these gaps in hours; {_PACE}",
        _OURS,
        "more",
        "count(gap) * 3600000 / nullif(sum(gap), 0)",
    ),
    Figure(
        "time_to_sync",
        "Time to sync",
        "seconds",
        "median of the time from when the device says that it last changed the record to when the service stored it, "
        "not below 0 and not longer than since its rack was claimed; a wrong clock of a device goes into it",
        _OURS,
        "less",
        "median(delay) / 1000",
    ),
)

# The end of a gap decides whose it is; of counts that a device stamps alike, the id says which was first. A device's
# clock may be off by any amount, but rarely changes within a session.
_SQL = f"""
WITH
sessions AS (
    SELECT session_id, max(epoch_ms(started_at)) AS claimed
    FROM read_parquet($sessions, hive_partitioning = false) WHERE rack_id IS NOT NULL GROUP BY session_id
),
counts AS (
    SELECT client_record_id AS record_id, session_id, coalesce(username, user_id) AS counter,
        epoch_ms(created_at) AS created, epoch_ms(updated_at) AS updated, epoch_ms(received_at) AS received
    FROM read_parquet($records, hive_partitioning = false) WHERE status = 'finalized' AND verified_qty IS NOT NULL
),
timed AS (
    SELECT counter,
        CASE WHEN session_id IS NOT NULL
            THEN created - lag(created) OVER (PARTITION BY session_id ORDER BY created, record_id) END AS since,
        received - updated AS waited, received - claimed AS longest
    FROM counts LEFT JOIN sessions USING (session_id)
),
timed_well AS (
    SELECT counter, CASE WHEN since <= $long_gap THEN since END AS gap,
        CASE WHEN waited IS NOT NULL THEN greatest(least(waited, longest), 0) END AS delay -- both skip a null
    FROM timed
)
SELECT counter, grouping(counter) = 1 AS whole, {", ".join(f"{figure.value} AS {figure.name}" for figure in WORK)}
FROM timed_well GROUP BY GROUPING SETS ((counter), ()) ORDER BY counter
"""  # noqa: S608 - made of the declarations above


class WorkTotals(Struct, frozen=True, kw_only=True):
    """The figures of all counts; WORK says what each means."""

    counts: int
    counting_hours: float
    items_per_hour: float | None
    time_to_sync: float | None


class Work(Struct, frozen=True):
    """How the counting went. `by_counter` has the column counter and then one for each figure, sorted by counter."""

    totals: WorkTotals
    by_counter: pl.DataFrame


def work(records: Sequence[Path], sessions: Sequence[Path]) -> Work:
    """The figures of these files of records and sessions, in one pass; a counter without a name comes first."""
    places = {"records": texts(records), "sessions": texts(sessions), "long_gap": LONG_GAP_SECONDS * 1000}
    with engine([*records, *sessions]) as connection:
        rows = frame(connection, _SQL, places)
    [whole] = rows.filter("whole").drop("counter", "whole").to_dicts()
    return Work(WorkTotals(**whole), rows.filter(~pl.col("whole")).drop("whole").sort("counter"))
