"""Tolerances as people write them."""

import pytest

from analytics.compare.tolerance import Tolerance, UnreadableTolerance, parsed


def test_absolute_relative_and_both() -> None:
    texts = ["verified_qty=0.5", "variance_value=5%", " verified_qty = 2 % "]
    assert parsed(texts) == {
        "verified_qty": Tolerance(absolute=0.5, relative=0.02),
        "variance_value": Tolerance(relative=0.05),
    }
    assert parsed([]) == {}


@pytest.mark.parametrize("text", ["", "verified_qty", "verified_qty=", "=1", "qty=much", "qty=5%%", "qty=1=2", "5%"])
def test_what_cannot_be_read_is_shown(text: str) -> None:
    with pytest.raises(UnreadableTolerance) as met:
        parsed([text])
    assert met.value.message.startswith(f"{text!r} is no tolerance.")
