"""What the kinds that accuse counters have in common: who is beyond chance, and the lines that prove it."""

import polars as pl

from analytics.anomalies.chance import strength, surprise
from analytics.anomalies.frames import Frames
from analytics.anomalies.options import Options
from stockverify.datasets import POSITIONS


def proof(lines: str, table: str, hit: str, first: str) -> str:
    """SQL for the lines of `$counters` that prove it: the hits in a common table that `lines` defines, in the order of
    `first`."""
    return f"""{lines},
numbered AS (
    SELECT counter, rack_id, bin, item_code, row_number() OVER (
        PARTITION BY counter ORDER BY {first}, rack_id, bin, item_code
    ) AS place
    FROM {table} WHERE {hit} AND counter IN (SELECT unnest($counters))
)
SELECT counter, list([rack_id, bin, item_code] ORDER BY place) AS proof
FROM numbered WHERE place <= $proof_rows GROUP BY counter
"""  # noqa: S608 - made of constants


def beyond_chance(
    frames: Frames, judged: pl.DataFrame, enough: pl.Expr, proof_sql: str, options: Options
) -> pl.DataFrame:
    """Those of the judged counters whose share of hits chance does not explain and is `enough`, the most severe first,
    as flags without sentences. `judged` has the columns counter, hits, trials and expected."""
    found = surprise(pl.col("hits"), pl.col("trials"), pl.col("expected"))
    rated = judged.with_columns(strength=strength(found, judged.height, options.significance))
    rows = rated.filter((pl.col("strength") >= 1) & enough)
    worst = rows.sort("strength", "counter", descending=[True, False]).head(options.shown)
    proven = worst.join(frames.ask(proof_sql, counters=worst["counter"].to_list()), on="counter", maintain_order="left")
    return proven.with_columns(
        total=pl.lit(rows.height),
        key=pl.concat_list("counter"),
        subject_type=pl.lit("counter"),
        subject="counter",
        dataset=pl.lit(POSITIONS.name),
        proof_rows="hits",
    )
