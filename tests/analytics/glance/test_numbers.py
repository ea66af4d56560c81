"""Numbers as people read them."""

import pytest

from analytics.glance.numbers import amount, rough, step


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "units", "–"),
        (0.0, "units", "0"),
        (-0.0, "value", "0.00"),
        (1234567, "lines", "1,234,567"),
        (1000, "lines", "1,000"),
        (1234.5, "units", "1,234.5"),
        (0.0004, "units", "0"),
        (-2.5, "units", "-2.5"),
        (-1234.567, "value", "-1,234.57"),
        (1.0, "share", "100.0%"),
        (0.99999, "share", "99.9%"),
        (0.0, "share", "0.0%"),
        (0.00001, "share", "<0.1%"),
        (0.3, "share", "30.0%"),
        (0.29, "share", "29.0%"),
    ],
)
def test_amounts(value: float | None, unit: str, text: str) -> None:
    assert amount(value, unit) == text


@pytest.mark.parametrize(
    ("before", "after", "unit", "text"),
    [
        (1, 3, "lines", "+2"),
        (3.0, 1.0, "units", "-2"),
        (0.1, 0.1 + 0.2 - 0.2, "units", ""),
        (1.0, 1001.5, "value", "+1,000.50"),
        (0.5, 0.55, "share", "+5.0 pts"),
        (0.5, 0.5, "share", ""),
        (None, 0.5, "share", ""),
        (0.5, None, "share", ""),
    ],
)
def test_steps(before: float | None, after: float | None, unit: str, text: str) -> None:
    assert step(before, after, unit) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (300_505.902, "300,506"),
        (118.6667, "119"),
        (99.96, "100"),
        (99.94, "99.9"),
        (2.5, "2.5"),
        (2.345, "2.35"),
        (0.0123, "0.012"),
        (0.0004, "<0.001"),
        (0.0, "0"),
        (None, "–"),
    ],
)
def test_speeds_and_times_are_rounded_as_one_would_say_them(value: float | None, text: str) -> None:
    assert rough(value) == text
