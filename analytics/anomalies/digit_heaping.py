"""Counters whose quantities end in 0 or 5 too often: estimated, not counted."""

import polars as pl

from analytics.anomalies.counters import beyond_chance, proof
from analytics.anomalies.flags import Findings, findings, number, percent
from analytics.anomalies.frames import Frames
from analytics.anomalies.options import Options

_UNIFORM = 0.2
"""Two last digits of ten."""

# Packs of five and ten make honest quantities round as well; then the book quantities of the same lines are round too.
_TYPED = """
typed AS (
    SELECT counted_by AS counter, verified_qty, book_qty, rack_id, bin, item_code, verified_qty % 5 = 0 AS is_round,
        in_book AND book_qty >= $heaping_quantity AND book_qty = floor(book_qty) AS has_book
    FROM positions
    WHERE counted AND counted_by IS NOT NULL AND isfinite(verified_qty)
        AND verified_qty >= $heaping_quantity AND verified_qty = floor(verified_qty)
)
"""
_SHARES = f"""{_TYPED}
SELECT counter, count(*) AS trials, count(*) FILTER (is_round) AS hits,
    count(*) FILTER (has_book) AS booked, count(*) FILTER (has_book AND book_qty % 5 = 0) AS booked_round
FROM typed GROUP BY counter HAVING count(*) >= $heaping_lines ORDER BY counter
"""  # noqa: S608 - made of constants
_PROOF = proof(_TYPED, "typed", "is_round", "abs(verified_qty - book_qty) DESC")


def find(frames: Frames, options: Options) -> Findings:
    """One-sided binomial test of the share of quantities that end in 0 or 5, for each counter."""
    judged = frames.ask(_SHARES).with_columns(share=pl.col("hits") / pl.col("trials"), expected=_expected(options))
    enough = pl.col("share") - pl.col("expected") >= options.heaping_excess
    said = beyond_chance(frames, judged, enough, _PROOF, options).with_columns(
        why=pl.format(
            "{} of {} quantities of {} or more that {} counted end in 0 or 5: {} where {} are to be expected. They "
            "look estimated.",
            "hits",
            "trials",
            number(pl.lit(options.heaping_quantity)),
            "counter",
            percent("share"),
            percent("expected"),
        ),
        baseline=pl.format(
            "{} of quantities, by chance or as the book has them on the same lines", percent("expected")
        ),
    )
    return findings(said)


def _expected(options: Options) -> pl.Expr:
    """The share to be expected: that of the book on the same lines, if enough have one, and at least two tenths."""
    of_book = pl.col("booked_round") / pl.col("booked")
    known = pl.when(pl.col("booked") >= options.heaping_lines).then(of_book)
    return pl.max_horizontal(pl.lit(_UNIFORM), known)
