import pytest

from stockverify.stocklist.check import Rejection
from stockverify.stocklist.load import StockList, load
from stockverify.stocklist.table import Options
from tests.stockverify.stocklist.samples import csv_bytes, xlsx_bytes

GOOD = 'Ground,R1,B1,00123,"Nail, 3"" galvanised",4006381333931,Fixings,Nails,BOX,4.20,7.99,12.5'


def only(*rows: str) -> Rejection:
    """The one rejection of a list of these rows."""
    stock = load(csv_bytes(*rows))
    assert len(stock.rejections) == 1
    assert stock.rows_read == len(rows)
    return stock.rejections[0]


def pairs(stock: StockList, *columns: str) -> list[tuple[object, ...]]:
    return stock.rows.select(columns).rows()


def test_a_good_row_is_taken_whole() -> None:
    stock = load(csv_bytes(GOOD))
    assert stock.rejections == ()
    assert stock.rows.to_dicts() == [
        {
            "line": 2,
            "floor": "Ground",
            "rack_id": "R1",
            "bin": "B1",
            "item_code": "00123",
            "item_name": 'Nail, 3" galvanised',
            "barcode": "4006381333931",
            "category": "Fixings",
            "subcategory": "Nails",
            "uom": "BOX",
            "unit_cost": 4.2,
            "mrp": 7.99,
            "book_qty": 12.5,
        }
    ]


def test_three_columns_are_enough() -> None:
    stock = load(b"sku;rack;qty\n00123; R1 ;1\n")
    assert stock.rows.to_dicts() == [{"line": 2, "rack_id": "R1", "item_code": "00123", "book_qty": 1}]
    assert stock.columns == {"rack_id": "rack", "item_code": "sku", "book_qty": "qty"}


def test_blank_cells_are_null_but_the_place_is_empty() -> None:
    stock = load(csv_bytes(",R1, ,A,,,,, ,,,0"))
    blank = dict.fromkeys(("item_name", "barcode", "category", "subcategory", "uom", "unit_cost", "mrp"))
    expected = {"line": 2, "floor": "", "rack_id": "R1", "bin": "", "item_code": "A", "book_qty": 0, **blank}
    assert stock.rows.to_dicts() == [expected]


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        (",,B1,A,,,,,,,,1", "rack_id", "", "is missing"),
        (",R1,B1, ,,,,,,,,1", "item_code", " ", "is missing"),
        (",R1,B1,A,,,,,,,,", "book_qty", "", "is missing"),
        (",R1,B1,A,,,,,,,,ten", "book_qty", "ten", "is not a number with a decimal point"),
        (",R1,B1,A,,,,,,,,NaN", "book_qty", "NaN", "is not a number with a decimal point"),
        (",R1,B1,A,,,,,,,,inf", "book_qty", "inf", "is not a number with a decimal point"),
        (",R1,B1,A,,,,,,,,-1", "book_qty", "-1", "is negative"),
        (",R1,B1,A,,,,,,,,1-", "book_qty", "1-", "is negative"),
        (",R1,B1,A,,,,,,,,1000000000001", "book_qty", "1000000000001", "is more than 1,000,000,000,000"),
        (",R1,B1,A,,,,,,,,1e999", "book_qty", "1e999", "is more than 1,000,000,000,000"),
        (",R1,B1,A,,,,,,x,,1", "unit_cost", "x", "is not a number with a decimal point"),
        (",R1,B1,A,,,,,,,-0.01,1", "mrp", "-0.01", "is negative"),
        (f",R1,B1,{'A' * 129},,,,,,,,1", "item_code", "A" * 100, "is longer than 128 characters"),
        (f",R1,B1,A,{'é' * 257},,,,,,,1", "item_name", "é" * 100, "is longer than 256 characters"),
        (",R1,B1,A\x07,,,,,,,,1", "item_code", "A\x07", "holds characters that cannot be seen; remove them"),
        (',"R\n1",B1,A,,,,,,,,1', "rack_id", "R\n1", "holds characters that cannot be seen; remove them"),
        (",R1,B\u200b1,A,,,,,,,,1", "bin", "B\u200b1", "holds characters that cannot be seen; remove them"),
        (",R1,B1,A,Na\x1bme,,,,,,,1", "item_name", "Na\x1bme", "holds characters that cannot be seen; remove them"),
        (
            ",R1,B1,A,,4.00638E+12,,,,,,1",
            "barcode",
            "4.00638E+12",
            "was rounded by a spreadsheet; format the column as text there and export the list again",
        ),
        (
            ",R1,B1,A,Nail, 3 inch,,,,,,,1",
            "",
            "13",
            "columns in this row, but 12 in the heading; quote the cells that hold the delimiter",
        ),
        (
            ",R1,B1,A,,,,,,,1",
            "",
            "11",
            "columns in this row, but 12 in the heading; quote the cells that hold the delimiter",
        ),
    ],
)
def test_a_bad_row_costs_only_itself(row: str, column: str, value: str, reason: str) -> None:
    stock = load(csv_bytes(GOOD, row, ",R9,B1,Z,,,,,,,,1"))
    assert stock.rejections == (Rejection(3, column, value, reason),)
    assert pairs(stock, "rack_id", "item_code") == [("R1", "00123"), ("R9", "Z")]


def test_names_on_two_lines_become_one_line() -> None:
    stock = load(csv_bytes('Ground,R1,,A,"Nail\n  3 inch",,,,,,,1'))
    assert pairs(stock, "item_name") == [("Nail 3 inch",)]


def test_a_repeated_line_is_rejected_with_the_line_that_stays() -> None:
    again = Rejection(4, "item_code", "A", "the same rack, bin and item stand on line 2")
    assert only(",R1,1,A,,,,,,,,1", ",R1,2,A,,,,,,,,1", ",R1,1,A,,,,,,,,9") == again


def test_a_bad_row_is_not_the_first_of_its_kind() -> None:
    stock = load(csv_bytes(",R1,1,A,,,,,,,,x", ",R1,1,A,,,,,,,,2", ",R1,1,A,,,,,,,,3"))
    assert [(bad.line, bad.column) for bad in stock.rejections] == [(2, "book_qty"), (4, "item_code")]
    assert pairs(stock, "line", "book_qty") == [(3, 2)]


def test_a_rack_stands_on_one_floor() -> None:
    expected = Rejection(3, "floor", "First", "its rack stands on floor 'Gro{0}und' in an earlier row")
    assert only("Gro{0}und,R1,,A,,,,,,,,1", "First,R1,,B,,,,,,,,1", "First,R2,,B,,,,,,,,1") == expected


def test_a_decimal_comma_is_seen_in_one_column_and_used_in_all() -> None:
    stock = load(b"rack;sku;unit_cost;qty\nR1;A;1,25;1.234\nR1;B;3;12\n")
    assert pairs(stock, "unit_cost", "book_qty") == [(1.25, 1234), (3, 12)]
    assert {name: mark.decimal for name, mark in stock.marks.items()} == {"unit_cost": ",", "book_qty": ","}


def test_a_shifted_row_is_no_evidence() -> None:
    stock = load(b"rack,sku,qty,name\nR1,A,1.5,x\nR1,B,2,5,y\n")
    assert (stock.marks["book_qty"].decimal, len(stock.rejections)) == (".", 1)


def test_numbers_of_a_workbook_need_no_evidence_but_its_texts_do() -> None:
    rows = [["rack", "sku", "unit_cost", "qty"], ["R1", 123.0, 1.5, 1.234], ["R1", "00123", "2,75", "1.234"]]
    stock = load(xlsx_bytes(("S", rows)))
    assert pairs(stock, "item_code", "unit_cost", "book_qty") == [("123", 1.5, 1.234), ("00123", 2.75, 1234)]


def test_a_number_that_is_negative_or_huge_in_a_workbook() -> None:
    rows = [["rack", "sku", "qty"], ["R1", "A", -1], ["R1", "B", 1e13], ["R1", "C", 1e12]]
    stock = load(xlsx_bytes(("S", rows)), Options())
    assert [(bad.line, bad.value) for bad in stock.rejections] == [(2, "-1"), (3, "10000000000000")]
