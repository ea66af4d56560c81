"""Sums and roundings to the millionth against exact fractions."""

from fractions import Fraction
from math import floor

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.engine import one
from analytics.millionths import NO_MILLIONTHS, joined, rounded, rounded_sql, split, summed, summed_sql

SHARED = duckdb.connect(config={"threads": 2})
LARGE = 12345678901.123457
NUMBERS = st.one_of(
    st.floats(-1e12, 1e12),
    st.integers(-(10**9), 10**9).map(lambda cents: cents / 100),
    st.integers(-(10**15), 10**15).map(lambda steps: steps / 10**6),
)


def exact_sum(numbers: list[float]) -> float:
    """Each number's whole millionths, rounded half up, added up as integers."""
    units = sum(map(floor, numbers))
    rest = sum(floor((number - floor(number)) * 1e6 + 0.5) for number in numbers)
    return float(Fraction(units * 10**6 + rest, 10**6))


def sums(numbers: list[float]) -> list[float]:
    """By Polars as a whole and as a group, and by DuckDB."""
    columns = {"group": pl.Int64, "number": pl.Float64}
    frame = pl.DataFrame({"group": [1] * len(numbers), "number": numbers}, schema=columns)
    total = summed(pl.col("number")).alias("total")
    SHARED.register("numbers", frame)
    (by_sql,) = one(SHARED, f"SELECT {summed_sql('number')} FROM numbers")
    return [frame.select(total).item(), frame.group_by("group").agg(total)["total"].item(), by_sql]


def roundings(number: float) -> list[float]:
    """By Polars and by DuckDB."""
    (by_sql,) = one(SHARED, f"SELECT {rounded_sql('$number::DOUBLE')}", {"number": number})
    return [pl.select(rounded(pl.lit(number))).item(), by_sql]


@settings(max_examples=150, deadline=None)
@given(numbers=st.lists(NUMBERS, min_size=1, max_size=30))
def test_a_sum_is_the_double_next_to_the_sum_of_millionths(numbers: list[float]) -> None:
    assert sums(numbers) == [exact_sum(numbers)] * 3
    assert sums(numbers[::-1]) == sums(numbers)


def test_the_sums_of_many_groups_are_as_exact_as_that_of_one() -> None:
    """A column is divided by a number otherwise than a single value is."""
    numbers = [n + 0.666316 for n in range(0, 10**6, 997)] + [-7.3, LARGE, 1.14]
    frame = pl.DataFrame({"group": range(len(numbers)), "number": numbers})
    halves = frame.select(
        "group", *(half.alias(name) for half, name in zip(split(pl.col("number")), "ur", strict=True))
    )
    by_group = frame.group_by("group", maintain_order=True).agg(summed(pl.col("number")).alias("sum"))["sum"]
    expected = [exact_sum([number]) for number in numbers]
    assert halves.select(joined(pl.col("u"), pl.col("r"))).to_series().to_list() == expected
    assert by_group.to_list() == expected


@pytest.mark.parametrize("number", [LARGE, -LARGE, 1.14, -7.3, 0.000001, 1e12, 999_999_999_999.75, NO_MILLIONTHS, 0.0])
def test_the_sum_of_one_number_is_that_number(number: float) -> None:
    assert sums([number]) == [*roundings(number), number] == [number] * 3


@settings(max_examples=150, deadline=None)
@given(number=NUMBERS)
def test_what_is_rounded_is_within_half_a_millionth_and_stays(number: float) -> None:
    for found in roundings(number):
        assert abs(Fraction(found) - Fraction(number)) <= Fraction(1, 2_000_000) + Fraction(abs(number)) / 2**52
        assert roundings(found) == [found, found]


def test_nothing_adds_up_to_nothing() -> None:
    empty = pl.DataFrame(schema={"number": pl.Float64})
    assert empty.select(summed(pl.col("number"))).item() == 0.0
    assert one(SHARED, f"SELECT {summed_sql('1.5')} WHERE false") == (None,)
    assert one(SHARED, f"SELECT {summed_sql('n', 'n > 1')} FROM (VALUES (1), (2.5)) AS t(n)") == (2.5,)


def test_what_is_no_number_is_left_as_it_is() -> None:
    endless = float("inf")
    assert [*roundings(endless), *sums([1.5, endless])] == [endless] * 5
    frame = pl.DataFrame({"number": [1.5, None, 2.25]})
    assert frame.select(summed(pl.col("number"))).item() == 3.75
