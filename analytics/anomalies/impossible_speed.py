"""Sessions in which many records were entered faster than anybody counts."""

import polars as pl

from analytics.anomalies.flags import Findings, findings, number
from analytics.anomalies.frames import Frames
from analytics.anomalies.options import Options
from stockverify.datasets import RECORDS

# Only differences between times of one session's device: when they arrived says nothing, for work without network
# arrives all at once. Records within `stamp_seconds` of the one before were stamped by a program.
_SQL = """
entries AS (
    SELECT session_id, epoch_ms(created_at) AS moment FROM records
    WHERE session_id IS NOT NULL AND created_at IS NOT NULL AND verified_qty IS NOT NULL
),
gaps AS (
    SELECT session_id, moment, moment - lag(moment) OVER (PARTITION BY session_id ORDER BY moment) AS gap FROM entries
),
moments AS (SELECT session_id, moment FROM gaps WHERE gap IS NULL OR gap >= $stamp_seconds * 1000),
bursts AS (
    SELECT session_id, moment,
        moment - lag(moment, $burst_records - 1) OVER (PARTITION BY session_id ORDER BY moment) AS took
    FROM moments
),
fastest AS (
    SELECT session_id, min(took) AS took, arg_min(moment, (took, moment)) AS until FROM bursts WHERE took IS NOT NULL
    GROUP BY session_id HAVING min(took) < ($burst_records - 1) * $burst_seconds * 1000
)
SELECT session_id, any_value(took) / 1000 AS seconds, count(*) AS proof_rows,
    coalesce(max(coalesce(username, user_id)), 'somebody') AS counter, max(rack_id) AS rack_id,
    list([client_record_id] ORDER BY created_at, client_record_id)[:$proof_rows] AS proof
FROM records JOIN fastest USING (session_id)
WHERE verified_qty IS NOT NULL AND epoch_ms(created_at) BETWEEN until - took AND until
GROUP BY session_id ORDER BY seconds, session_id
"""


def find(frames: Frames, options: Options) -> Findings:
    """The fastest `burst_records` records in a row of each session, by the clock of its device."""
    steps = options.burst_records - 1
    rows = frames.ask(_SQL).with_columns(each=pl.col("seconds") / steps)
    where = pl.when(pl.col("rack_id").is_null()).then(pl.lit("")).otherwise(pl.format(" on {}", "rack_id"))
    said = rows.head(options.shown).with_columns(
        total=pl.lit(rows.height),
        strength=options.burst_seconds / pl.col("each"),
        key=pl.concat_list("session_id"),
        subject_type=pl.lit("session"),
        subject="session_id",
        why=pl.format(
            "{} entered {} records{} within {} seconds by the device's own clock, one every {} seconds. Nobody counts "
            "so fast.",
            "counter",
            "proof_rows",
            where,
            number("seconds"),
            number("each"),
        ),
        baseline=pl.lit(
            f"{options.burst_records} records in a row take {options.burst_seconds:g} seconds each or more"
        ),
        dataset=pl.lit(RECORDS.name),
    )
    return findings(said)
