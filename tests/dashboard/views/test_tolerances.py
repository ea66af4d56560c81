"""Tolerances between the address, the form and the service."""

import pytest

from analytics.compare import Tolerance
from analytics.compare.tolerance import BadTolerance, UnreadableTolerance
from dashboard.views.tolerances import chosen, in_address, limits, read, said, written
from stockverify.wire.comparisons import Limits

COLUMNS = ("verified_qty", "unit_cost")
BOTH = {"verified_qty": Tolerance(0.5, None), "unit_cost": Tolerance(0.01, 0.07)}


def test_the_address_gives_back_what_was_chosen() -> None:
    assert written(BOTH) == ("unit_cost=0.01", "unit_cost=7%", "verified_qty=0.5")
    assert read(in_address(BOTH), COLUMNS) == BOTH
    assert read("", COLUMNS) == {}


def test_columns_of_another_dataset_are_left_out() -> None:
    assert read("verified_qty=1,mrp=2", COLUMNS) == {"verified_qty": Tolerance(1.0)}


@pytest.mark.parametrize("text", ["verified_qty", "=1", "verified_qty=much", "<b>"])
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(UnreadableTolerance):
        read(text, COLUMNS)


@pytest.mark.parametrize("size", ["-1", "-1%", "nan", "inf", "1e400", "1e13", "1e308%"])
def test_a_size_that_the_form_could_not_show_is_named_with_its_column(size: str) -> None:
    with pytest.raises(BadTolerance, match="'verified_qty' cannot be used"):
        read(f"verified_qty={size}", COLUMNS)


def test_empty_fields_are_no_tolerance() -> None:
    assert chosen({"verified_qty": (None, None), "unit_cost": (None, 5.0)}) == {"unit_cost": Tolerance(None, 0.05)}


def test_words_and_the_service_s_shape() -> None:
    assert said({}) == "Tolerances: none, every step counts as a change"
    assert said(BOTH) == "Tolerances: unit cost by 0.01 or 7%, verified by 0.5"
    assert limits(BOTH)["unit_cost"] == Limits(absolute=0.01, relative=0.07)
