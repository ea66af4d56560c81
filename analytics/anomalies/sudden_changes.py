"""Lines that were counted before, and now differ by more than the book explains."""

import polars as pl

from analytics.anomalies.flags import Findings, findings, line, number
from analytics.anomalies.frames import Frames
from analytics.anomalies.spread import SCALES
from stockverify.datasets import POSITIONS

# Against an earlier snapshot, what the book moved by is explained. Between rounds close to each other nothing moves.
_SQL = f"""
since AS (
    SELECT now.rack_id, now.bin, now.item_code, 'snapshot' AS part,
        now.verified_qty AS found, before.verified_qty AS earlier, now.variance_qty - before.variance_qty AS value,
        now.book_qty - before.book_qty AS booked
    FROM positions AS now JOIN previous AS before
        ON now.rack_id = before.rack_id AND now.bin = before.bin AND now.item_code = before.item_code
    WHERE now.counted AND before.counted AND now.counted_at <> before.counted_at
        AND isfinite(now.variance_qty - before.variance_qty)
),
passes AS (
    SELECT rack_id, max(coalesce(round, 1)) AS last FROM records WHERE rack_id IS NOT NULL
    GROUP BY rack_id HAVING max(coalesce(round, 1)) > 1
),
counts AS (
    SELECT rack_id, coalesce(bin, '') AS bin, item_code, coalesce(round, 1) AS pass, last,
        sum(verified_qty) AS quantity, max(received_at) AS stored
    FROM records JOIN passes USING (rack_id)
    WHERE status = 'finalized' AND verified_qty IS NOT NULL GROUP BY ALL
),
again AS (
    SELECT rack_id, bin, item_code, 'round' AS part, arg_max(quantity, pass) AS found,
        arg_max(quantity, pass) FILTER (pass < last) AS earlier, found - earlier AS value, 0.0 AS booked
    FROM counts GROUP BY rack_id, bin, item_code, last
    HAVING max(pass) = last AND count(*) > 1
        AND epoch(max(stored) - max(stored) FILTER (pass < last)) <= $recount_days * 86400
),
measured AS (
    SELECT * FROM since UNION ALL
    SELECT * FROM again ANTI JOIN since USING (rack_id, bin, item_code)
),
{SCALES},
limits AS (
    SELECT *, greatest(
        $change_units, $change_share * greatest(found, earlier),
        CASE WHEN members >= $group_lines THEN $outlier_score * scale ELSE 0 END
    ) AS bound
    FROM measured JOIN scales USING (part)
)
SELECT *, [rack_id, bin, item_code] AS key, [key] AS proof, 1 AS proof_rows, count(*) OVER () AS total,
    abs(value) / bound AS strength
FROM limits WHERE abs(value) > bound ORDER BY strength DESC, rack_id, bin, item_code LIMIT $shown
"""  # noqa: S608 - made of constants

_LAST = {"snapshot": "in the earlier snapshot", "round": "in the round before"}


def find(frames: Frames) -> Findings:
    """The change of each line since its last count, less what its book quantity changed by in between."""
    rows = frames.ask(_SQL)
    moved = pl.format(", while the book moved by {}", number("booked"))
    said = rows.with_columns(
        subject_type=pl.lit("line"),
        subject=line(),
        why=pl.format(
            "Counted {} now and {} {}{}: {} that nothing explains.",
            number("found"),
            number("earlier"),
            pl.col("part").replace_strict(_LAST, return_dtype=pl.String),
            pl.when(pl.col("part") == "snapshot").then(moved).otherwise(pl.lit("")),
            number("value"),
        ),
        baseline=pl.format(
            "{} lines counted twice: median change {}, spread {} ({}); here up to {} would be usual",
            "members",
            number("centre"),
            number("scale"),
            "scaled_by",
            number("bound"),
        ),
        dataset=pl.lit(POSITIONS.name),
    )
    return findings(said)
