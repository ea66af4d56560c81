"""The bound on chance, against the exact binomial distribution."""

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.anomalies.chance import strength, surprise


def exact(hits: int, trials: int, expected: float) -> float:
    """P(X >= hits)."""
    return math.fsum(
        math.comb(trials, each) * expected**each * (1 - expected) ** (trials - each) for each in range(hits, trials + 1)
    )


def bound(hits: int, trials: int, expected: float) -> float:
    frame = pl.DataFrame({"hits": [hits], "trials": [trials], "expected": [expected]})
    return float(frame.select(surprise(*(pl.col(name) for name in frame.columns))).item())


@settings(deadline=None)
@given(data=st.data(), trials=st.integers(1, 120), expected=st.floats(0.01, 0.99))
def test_the_bound_is_never_smaller_than_the_chance(data: st.DataObject, trials: int, expected: float) -> None:
    hits = data.draw(st.integers(0, trials))
    assert 10 ** -bound(hits, trials, expected) >= exact(hits, trials, expected) * (1 - 1e-9)


@pytest.mark.parametrize(
    ("hits", "trials", "expected", "told"),
    [
        (5, 10, 0.5, 0.0),
        (4, 10, 0.5, 0.0),
        (10, 10, 0.5, 10 * math.log10(2)),
        (60, 100, 0.2, 100 * (0.6 * math.log10(3) + 0.4 * math.log10(0.5))),
        (3, 3, 1.0, 0.0),
    ],
)
def test_the_formula(hits: int, trials: int, expected: float, told: float) -> None:
    assert bound(hits, trials, expected) == pytest.approx(told)


def test_the_limit_rises_with_the_number_of_counters() -> None:
    frame = pl.DataFrame({"surprise": [3.0, 5.0, 8.0]})
    assert frame.select(strength(pl.col("surprise"), 1, 0.001)).to_series().to_list() == pytest.approx(
        [1, 5 / 3, 8 / 3]
    )
    assert frame.select(strength(pl.col("surprise"), 100, 0.001)).to_series().to_list() == pytest.approx([1 / 3, 1, 2])
