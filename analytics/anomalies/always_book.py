"""Counters who report the book quantity always, where others find variances on comparable lines."""

import polars as pl

from analytics.anomalies.counters import beyond_chance, proof
from analytics.anomalies.flags import Findings, findings, number, percent
from analytics.anomalies.frames import Frames
from analytics.anomalies.options import Options

# Comparable lines: the same category, and a book quantity of as many digits.
_LINES = """
lines AS (
    SELECT counted_by AS counter, coalesce(category, '') AS category, floor(log10(greatest(book_qty, 1))) AS digits,
        variance_qty = 0 AS matches, book_qty, rack_id, bin, item_code
    FROM positions
    WHERE counted AND in_book AND counted_by IS NOT NULL AND isfinite(variance_qty) AND isfinite(book_qty)
)
"""
_SHARES = f"""{_LINES}
SELECT counter, category, digits, count(*) AS trials, count(*) FILTER (matches) AS hits
FROM lines GROUP BY counter, category, digits
"""  # noqa: S608 - made of constants
_PROOF = proof(_LINES, "lines", "matches", "book_qty DESC")
_COMPARABLE = ["category", "digits"]
_LEAST_COMPARED = 20


def find(frames: Frames, options: Options) -> Findings:
    """One-sided binomial test of the share of lines that equal the book, for each counter against all others."""
    parts = frames.ask(_SHARES).with_columns(usual=_usual())
    judged = _by_counter(parts).filter(pl.col("trials") >= options.echo_lines)
    enough = pl.col("share") >= options.echo_share
    said = beyond_chance(frames, judged, enough, _PROOF, options).with_columns(
        why=pl.format(
            "{} reported exactly the book quantity on {} of {} lines; on comparable lines others find it on {}. "
            "Whoever counts blind finds variances too.",
            "counter",
            "hits",
            "trials",
            percent("expected"),
        ),
        baseline=pl.format(
            "{} of comparable lines (same category, similar book quantity) equal the book when others count; {} would",
            percent("expected"),
            number((pl.col("expected") * pl.col("trials")).round(0)),
        ),
    )
    return findings(said)


def _usual() -> pl.Expr:
    """The share of comparable lines that equal the book when others count them; of all their lines if few compare."""
    others, found = (pl.col(name).sum().over(_COMPARABLE) - pl.col(name) for name in ("trials", "hits"))
    all_others, all_found = (pl.col(name).sum() - pl.col(name).sum().over("counter") for name in ("trials", "hits"))
    return pl.when(others >= _LEAST_COMPARED).then(found / others).otherwise(all_found / all_others)


def _by_counter(parts: pl.DataFrame) -> pl.DataFrame:
    expected = (pl.col("usual") * pl.col("trials")).sum() / pl.col("trials").sum()
    return (
        parts.filter(pl.col("usual").is_finite())
        .group_by("counter")
        .agg(pl.col("trials", "hits").sum(), expected=expected)
        .with_columns(share=pl.col("hits") / pl.col("trials"))
        .filter(pl.col("expected") > 0)
        .sort("counter")
    )
