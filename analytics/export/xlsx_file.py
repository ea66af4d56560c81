"""Excel workbooks. The only file that imports xlsxwriter.

Rows are written in order and leave memory at once (constant_memory). Every cell is written as its own type, so no text
becomes a number or a formula; every return code is looked at, because xlsxwriter reports a lost cell only there.
"""

import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from analytics.export.cells import flat
from analytics.export.tables import Table
from stockverify.datasets import Type
from stockverify.errors import SetupError

SHEET_ROWS = 1_048_576
CELL_CHARACTERS = 32_767
_EXCEL_TIME = re.compile(r"(19|[2-9]\d)\d\d-")

Rows = Iterator[tuple[Any, ...]]


class CellLost(SetupError):
    """The workbook did not take the cell in row {row}, column {column} (code {code}); nothing was exported.
    Export as csv, json or parquet instead."""


class _Sheets:
    """The open workbook: hands out the sheets for rows, and keeps the texts that are too long for a cell."""

    def __init__(self, book: Workbook, table: Table) -> None:
        self.book, self.table = book, table
        self.long_texts: list[str] = []
        self._head = book.add_format({"bold": True, "bottom": 1})
        self._instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._money = book.add_format({"num_format": "#,##0.00"})
        self._number = book.add_format({"num_format": "General"})

    def open(self, number: int) -> Worksheet:
        """A new sheet with its header."""
        name = self.table.name[:25]
        sheet = self.book.add_worksheet(name if number == 0 else f"{name} {number + 1}")
        for column, (heading, kind) in enumerate(self.table.columns):
            checked(sheet.write_string(0, column, heading, self._head), 0, column)
            sheet.set_column(column, column, max(12, len(heading) + 2, 20 if kind is Type.INSTANT else 0))
        sheet.freeze_panes(1, 0)
        return sheet

    def close(self, sheet: Worksheet, rows: int) -> None:
        """Filters go over the rows that were written."""
        sheet.autofilter(0, 0, rows, max(0, len(self.table.columns) - 1))

    def writers(self) -> "list[Callable[[Worksheet, int, int, Any], int]]":
        """One writer per column."""
        return [self._writer(name, kind) for name, kind in self.table.columns]

    def _writer(self, name: str, kind: Type) -> "Callable[[Worksheet, int, int, Any], int]":
        if kind in (Type.FLOAT, Type.INTEGER):
            shape = self._money if is_money(name) else self._number
            return lambda sheet, row, column, value: self._write_number(sheet, row, column, value, shape)
        if kind is Type.BOOLEAN:
            return lambda sheet, row, column, value: int(sheet.write_boolean(row, column, value))
        return self._write_instant if kind is Type.INSTANT else self._write_text

    def _write_number(self, sheet: Worksheet, row: int, column: int, value: float, shape: Format) -> int:
        if not math.isfinite(value):
            return int(sheet.write_string(row, column, str(value)))
        return int(sheet.write_number(row, column, value, shape))

    def _write_instant(self, sheet: Worksheet, row: int, column: int, value: str) -> int:
        """Excel knows no zones and no years before 1900: the cell holds the wall time of the zone that the About
        sheet names, or the text of a time that Excel cannot hold."""
        if not _EXCEL_TIME.match(value):
            return int(sheet.write_string(row, column, value))
        return int(sheet.write_datetime(row, column, datetime.fromisoformat(value[:23]), self._instant))

    def _write_text(self, sheet: Worksheet, row: int, column: int, value: str) -> int:
        if len(value) > CELL_CHARACTERS:
            self.long_texts.append(value)
            value = f"(a text of {len(value)} characters: see sheet Long texts, row {len(self.long_texts)})"
        return int(sheet.write_string(row, column, value))


def write(table: Table, path: Path, zone: str, about: dict[str, Any], sheet_rows: int = SHEET_ROWS) -> int:
    """Write all rows, on as many sheets as they need; returns how many. Raises CellLost."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as book:
        sheets = _Sheets(book, table)
        rows = _values(table, zone)
        total = 0
        for number in count():
            written = _fill(sheets, sheets.open(number), rows, sheet_rows - 1)
            total += written
            if written < sheet_rows - 1:
                break
        _about_sheet(book, about | {"rows": total})
        _long_sheet(book, sheets.long_texts)
    return total


def is_money(name: str) -> bool:
    """Whether a column holds an amount of money, by its name."""
    return any(part in name for part in ("cost", "mrp", "value"))


def checked(code: int, row: int, column: int) -> None:
    """Raises CellLost for the negative codes with which xlsxwriter tells of a cell that it dropped."""
    if code < 0:
        raise CellLost(row=row + 1, column=column + 1, code=code)


def _values(table: Table, zone: str) -> Rows:
    for batch in table.batches:
        yield from flat(batch, table.columns, zone).select(name for name, _ in table.columns).iter_rows()


def _fill(sheets: _Sheets, sheet: Worksheet, rows: Rows, room: int) -> int:
    writers = sheets.writers()
    written = 0
    while written < room and (values := next(rows, None)) is not None:
        written += 1
        for column, (write_cell, value) in enumerate(zip(writers, values, strict=True)):
            if value is not None:
                checked(write_cell(sheet, written, column, value), written, column)
    sheets.close(sheet, written)
    return written


def _about_sheet(book: Workbook, about: dict[str, Any]) -> None:
    sheet = book.add_worksheet("About")
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 1, 90)
    for row, (name, value) in enumerate(about.items()):
        checked(sheet.write_string(row, 0, name), row, 0)
        checked(sheet.write_string(row, 1, str(value)[:CELL_CHARACTERS]), row, 1)


def _long_sheet(book: Workbook, texts: list[str]) -> None:
    """Each text in a row of its own, cut into cells that together hold all of it."""
    sheet = book.add_worksheet("Long texts") if texts else None
    for row, text in enumerate(texts):
        assert sheet is not None  # noqa: S101 - there is one when there are texts
        for column, start in enumerate(range(0, len(text), CELL_CHARACTERS)):
            checked(sheet.write_string(row, column, text[start : start + CELL_CHARACTERS]), row, column)
