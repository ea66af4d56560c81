import polars as pl
import pytest

from stockverify.stocklist.amounts import (
    Evidence,
    Mark,
    MixedNumbers,
    UnclearNumbers,
    UnknownMark,
    evidence,
    parse,
    settle,
)


def column(*texts: str | None) -> pl.Series:
    return pl.Series(texts, dtype=pl.String)


@pytest.mark.parametrize(
    ("text", "proves"),
    [
        ("12,5", ","),
        ("1.234,50", ","),
        ("1.234.567", ","),
        ("0,125", ","),
        ("1 234,567", ","),
        ("1\u00a0234,567", ","),
        ("12.5", "."),
        ("1,234.50", "."),
        ("1,234,567", "."),
        ("1,23,456.00", "."),
        ("0.125", "."),
        (".125", "."),
        ("12345.678", "."),
        ("1'234.50", "."),
        ("1'234.567", "."),
        ("-12.5", "."),
        ("12.5-", "."),
    ],
)
def test_a_number_proves_its_decimal_mark(text: str, proves: str) -> None:
    assert evidence(column(text)) == Evidence(int(proves == "."), int(proves == ","), 0, None)


@pytest.mark.parametrize("text", ["1.234", "1,234", "999.000", "-1.234", "12,000-"])
def test_a_number_that_may_be_either_is_unclear(text: str) -> None:
    assert evidence(column(text)) == Evidence(0, 0, 1, text)


@pytest.mark.parametrize("text", ["1234", "0", "1 234", "", None, "abc", "AB.12", "1.2.3", "12.05.2024", ".", ","])
def test_a_text_without_a_decimal_mark_proves_nothing(text: str | None) -> None:
    assert evidence(column(text)) == Evidence(0, 0, 0, None)


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1234", 1234, 1234),
        ("1.234", 1.234, 1234),
        ("1,234", 1234, 1.234),
        ("1,234.5", 1234.5, None),
        ("1.234,5", None, 1234.5),
        ("0.125", 0.125, None),
        ("1,23,456", 123456, None),
        ("1 234", 1234, 1234),
        ("1\u202f234", 1234, 1234),
        ("1'234", 1234, 1234),
        (" 7 ", 7, 7),
        ("+7", 7, 7),
        ("-7", -7, -7),
        ("7-", -7, -7),
        ("\u22127", -7, -7),
        ("1E3", 1000, 1000),
        ("5.", 5, None),
        (".5", 0.5, None),
        ("-7-", None, None),
        ("--7", None, None),
        ("1,2,3", None, None),
        ("12,34", None, 12.34),
        ("1 23", None, None),
        ("NaN", None, None),
        ("inf", None, None),
        ("0x10", None, None),
        ("1_000", None, None),
        ("12 EUR", None, None),
        ("١٢", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_parse(text: str | None, point: float | None, comma: float | None) -> None:
    assert (parse(column(text), ".")[0], parse(column(text), ",")[0]) == (point, comma)


def test_a_column_without_proof_follows_the_others() -> None:
    seen = {
        "unit_cost": Evidence(0, 3, 0, None),
        "mrp": Evidence(0, 0, 0, None),
        "book_qty": Evidence(0, 0, 2, "1.234"),
    }
    assert settle(seen, None) == {
        "unit_cost": Mark(",", "3 of its own numbers"),
        "mrp": Mark(",", "it does not matter here"),
        "book_qty": Mark(",", "the numbers in unit_cost"),
    }


def test_columns_may_differ_when_each_has_proof() -> None:
    seen = {"unit_cost": Evidence(0, 3, 1, "1.234"), "book_qty": Evidence(3, 0, 0, None)}
    assert {name: mark.decimal for name, mark in settle(seen, None).items()} == {"unit_cost": ",", "book_qty": "."}


def test_numbers_that_nothing_explains_are_asked_about() -> None:
    with pytest.raises(UnclearNumbers, match=r"'1\.234' in column book_qty"):
        settle({"book_qty": Evidence(0, 0, 2, "1.234")}, None)


def test_others_that_disagree_explain_nothing() -> None:
    seen = {
        "unit_cost": Evidence(0, 3, 0, None),
        "mrp": Evidence(3, 0, 0, None),
        "book_qty": Evidence(0, 0, 1, "1.234"),
    }
    with pytest.raises(UnclearNumbers, match="book_qty"):
        settle(seen, None)


def test_a_slip_of_the_pen_does_not_turn_a_column() -> None:
    assert settle({"book_qty": Evidence(100, 5, 9, "1.234")}, None)["book_qty"].decimal == "."
    with pytest.raises(MixedNumbers, match="100 numbers with a decimal point and 6 with a decimal comma"):
        settle({"book_qty": Evidence(100, 6, 9, "1.234")}, None)


def test_what_is_given_wins() -> None:
    assert settle({"book_qty": Evidence(5, 5, 5, "1.234")}, ",") == {"book_qty": Mark(",", "as given")}
    with pytest.raises(UnknownMark):
        settle({}, ";")
