"""Bounds of the waits."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockverify.client.backoff import FIRST_SECONDS, LONGEST_SECONDS, as_asked, delay, read_retry_after

NOW = "Mon, 05 Jan 2026 08:00:00 GMT"


@given(st.integers(1, 10**9), st.integers())
def test_a_wait_lies_between_two_seconds_and_a_ceiling_that_doubles_up_to_five_minutes(
    failures: int, seed: int
) -> None:
    ceiling = min(300.0, 2.0 * 2 ** min(failures, 10))
    assert 2.0 <= delay(failures, random.Random(seed)) <= ceiling <= LONGEST_SECONDS


def test_waits_spread_over_the_whole_range_below_the_ceiling() -> None:
    rng = random.Random(1)
    waits = [delay(20, rng) for _ in range(2000)]
    assert (min(waits) < 10, max(waits) > 290, 140 < sum(waits) / 2000 < 162) == (True, True, True)


def test_no_failure_is_no_wait() -> None:
    assert delay(0, random.Random(1)) == 0.0


@given(st.floats(0, 1e9), st.integers())
def test_what_the_service_asks_for_is_never_cut_short_but_capped(asked: float, seed: int) -> None:
    wait = as_asked(asked, random.Random(seed))
    assert min(asked, LONGEST_SECONDS) <= wait <= min(asked + FIRST_SECONDS, LONGEST_SECONDS)


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        pytest.param("7", None, 7.0, id="seconds"),
        pytest.param(" 0 ", None, 0.0, id="at once"),
        pytest.param("999999999", None, 300.0, id="too long is capped"),
        pytest.param("Mon, 05 Jan 2026 08:00:40 GMT", NOW, 40.0, id="a date against the reply's own date"),
        pytest.param("Mon, 05 Jan 2026 07:00:00 GMT", NOW, 0.0, id="a date in the past"),
        pytest.param("Tue, 06 Jan 2026 08:00:00 GMT", NOW, 300.0, id="a date far away"),
        pytest.param("Mon, 05 Jan 2026 08:00:40 GMT", None, None, id="a date without the reply's date"),
        pytest.param("-5", NOW, None, id="negative"),
        pytest.param("٥", NOW, None, id="digits of another script"),
        pytest.param("9" * 5000, NOW, None, id="endless digits"),
        pytest.param("soon", NOW, None, id="a word"),
        pytest.param(None, NOW, None, id="missing"),
    ],
)
def test_retry_after(value: str | None, date: str | None, seconds: float | None) -> None:
    assert read_retry_after(value, date) == seconds


@given(st.text(), st.text())
def test_no_header_breaks_the_device(value: str, date: str) -> None:
    seconds = read_retry_after(value, date)
    assert seconds is None or 0.0 <= seconds <= LONGEST_SECONDS
