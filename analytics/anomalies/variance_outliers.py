"""Lines whose variance is far from what is usual in their category."""

import polars as pl

from analytics.anomalies.flags import Findings, findings, line, number
from analytics.anomalies.frames import Frames
from analytics.anomalies.spread import SCALES
from stockverify.datasets import POSITIONS

_SQL = f"""
measured AS NOT MATERIALIZED (
    SELECT rack_id, bin, item_code, coalesce(category, '') AS part, book_qty, verified_qty, variance_qty AS value
    FROM positions WHERE counted AND isfinite(variance_qty)
),
{SCALES},
far AS (
    SELECT *, abs(value - centre) AS deviation
    FROM measured JOIN scales USING (part)
    WHERE members >= $group_lines AND abs(value - centre) > greatest($outlier_score * scale, $outlier_units)
)
SELECT *, [rack_id, bin, item_code] AS key, [key] AS proof, 1 AS proof_rows, count(*) OVER () AS total,
    deviation / greatest($outlier_score * scale, $outlier_units) AS strength
FROM far ORDER BY strength DESC, rack_id, bin, item_code LIMIT $shown
"""  # noqa: S608 - made of constants


def find(frames: Frames) -> Findings:
    """The robust z-score |variance - median| / scale of each line within its category (Iglewicz and Hoaglin 1993)."""
    rows = frames.ask(_SQL)
    category = pl.when(pl.col("part") == "").then(pl.lit("lines without a category")).otherwise("part")
    said = rows.with_columns(
        subject_type=pl.lit("line"),
        subject=line(),
        why=pl.format(
            "Counted {} where the book says {}: the variance {} is {} times the usual spread away from what is usual "
            "in {}.",
            number("verified_qty"),
            number("book_qty"),
            number("value"),
            number(pl.col("deviation") / pl.col("scale")),
            category,
        ),
        baseline=pl.format(
            "{} counted lines of {}: median variance {}, spread {} ({})",
            "members",
            category,
            number("centre"),
            number("scale"),
            "scaled_by",
        ),
        dataset=pl.lit(POSITIONS.name),
    )
    return findings(said)
