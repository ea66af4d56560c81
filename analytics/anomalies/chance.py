"""How likely it is that chance alone did it."""

import polars as pl

_LN10 = 2.302585092994046


def surprise(hits: pl.Expr, trials: pl.Expr, expected: pl.Expr) -> pl.Expr:
    """-log10 of a bound on the chance of at least so many hits, when each trial hits with chance `expected` on average.

    The bound is exp(-n D(hits/n || expected)) with the relative entropy D (Chernoff 1952, Hoeffding 1963). It is never
    smaller than the exact chance, also where chances differ from trial to trial around the same mean, and it is a
    formula over columns. 0 when there are no more hits than expected; infinite when hits were impossible.
    """
    share = hits / trials
    kept = pl.when(share < 1).then((1 - share) * ((1 - share) / (1 - expected)).log()).otherwise(0.0)
    divergence = share * (share / expected).log() + kept
    return pl.when(share > expected).then(trials * divergence / _LN10).otherwise(0.0)


def strength(surprised: pl.Expr, judged: int, significance: float) -> pl.Expr:
    """How many times the limit that is, when so many were judged at once (Bonferroni): 1 is exactly significant."""
    return (surprised - pl.lit(float(max(judged, 1))).log10()) / -pl.lit(significance).log10()
