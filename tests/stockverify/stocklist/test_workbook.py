import io
import zipfile
from datetime import datetime

import pytest
import xlsxwriter

from stockverify.stocklist.read import read
from stockverify.stocklist.table import NothingInside, Options
from stockverify.stocklist.workbook import NoSuchSheet, NotAWorkbook, WorkbookTooLarge
from tests.stockverify.stocklist.samples import xlsx_bytes

LIST = [["rack_id", "item_code", "book_qty"], ["R1", 123.0, 2.5], [], ["R1", "00123", "1.234,5"]]


def with_cell(data: bytes, old: bytes, new: bytes) -> bytes:
    """The workbook with its sheet changed."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, content.replace(old, new) if name.startswith("xl/worksheets/") else content)
    return changed.getvalue()


def test_numbers_become_the_text_that_was_seen_and_stay_numbers_beside_it() -> None:
    table = read(xlsx_bytes(("Stock", LIST)), Options())
    assert table.heading == ("rack_id", "item_code", "book_qty")
    assert table.frame.to_dicts() == [
        {"line": 2, "width": 3, "text0": "R1", "text1": "123", "number1": 123, "text2": "2.5", "number2": 2.5},
        {"line": 4, "width": 3, "text0": "R1", "text1": "00123", "number1": None, "text2": "1.234,5", "number2": None},
    ]


def test_the_first_sheet_or_the_named_one() -> None:
    data = xlsx_bytes(("Cover", [["x"], ["y"]]), ("Stock", LIST))
    assert read(data, Options()).facts.sheet == "Cover"
    assert read(data, Options(sheet="Stock")).facts.sheet == "Stock"
    with pytest.raises(NoSuchSheet, match=r"no sheet 'stock'\. It has: Cover, Stock"):
        read(data, Options(sheet="stock"))
    with pytest.raises(NothingInside):
        read(xlsx_bytes(("Empty", [])), Options())


def test_other_kinds_of_cells() -> None:
    data = xlsx_bytes(("S", [["a", "b", "c", "d"], [True, 4006381333931, 123456789012345678, 0.1]]))
    assert read(data, Options()).frame.select("^text.*$").rows() == [
        ("TRUE", "4006381333931", "1.23456789012346E+17", "0.1")
    ]


def test_dates_are_shown_as_dates() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a"])
        sheet.write_datetime(1, 0, datetime(2024, 1, 2), book.add_format({"num_format": "yyyy-mm-dd"}))  # noqa: DTZ001
    assert read(file.getvalue(), Options()).frame["text0"].to_list() == ["2024-01-02"]


def test_a_cell_in_the_far_corner_claims_no_memory() -> None:
    with pytest.raises(WorkbookTooLarge, match="16,384 columns and 1,048,576 rows"):
        read(with_cell(xlsx_bytes(("S", LIST)), b'"A1"', b'"XFD1048576"'), Options())


def test_a_bomb_is_not_unpacked() -> None:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member,
    ):
        for _ in range(17):
            member.write(bytes(2**26))
    with pytest.raises(WorkbookTooLarge, match="unpacked it has 1,140,850,688 bytes"):
        read(file.getvalue(), Options())


@pytest.mark.parametrize(
    "damaged",
    [
        b"PK\x03\x04",
        b"PK\x03\x04" + bytes(100),
        b"\xd0\xcf\x11\xe0" + bytes(100),
        xlsx_bytes(("S", LIST))[:-40],
        with_cell(xlsx_bytes(("S", LIST)), b"", b"").replace(b"<v>2.5</v>", b"<v>9.5</v>"),
    ],
)
def test_a_damaged_workbook_is_refused(damaged: bytes) -> None:
    with pytest.raises(NotAWorkbook, match=r"Save it as \.xlsx without a password, or as CSV"):
        read(damaged, Options())
