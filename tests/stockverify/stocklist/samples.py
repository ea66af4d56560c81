"""Stock lists for the tests, as bytes."""

import io
from typing import Any

import xlsxwriter

HEADING = "floor,rack_id,bin,item_code,item_name,barcode,category,subcategory,uom,unit_cost,mrp,book_qty"


def csv_bytes(*rows: str, heading: str = HEADING) -> bytes:
    """A CSV file in UTF-8."""
    return "\n".join((heading, *rows, "")).encode()


def xlsx_bytes(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    """A workbook with these sheets; texts stay texts."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                for column, value in enumerate(row):
                    sheet.write(at, column, value)
    return file.getvalue()
