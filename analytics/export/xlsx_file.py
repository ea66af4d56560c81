"""Excel workbooks. The only file that imports xlsxwriter.

Rows are written in order and leave memory at once (constant_memory). Every cell is written as its own type, so no text
becomes a number or a formula; every return code is looked at, because xlsxwriter reports a lost cell only there.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from analytics.export import xlsx_cells, xlsx_summary
from analytics.export.cells import listed, longest_text
from analytics.export.insight import of_tally
from analytics.export.tables import Table
from analytics.export.tallies import Tally
from analytics.export.xlsx_cells import CELL_UNITS, Cells, text_cell
from analytics.glance.money import cell_format, is_money
from stockverify.datasets import Type
from stockverify.errors import SetupError

SHEET_ROWS = 1_048_576
WIDEST = 60

Write = Callable[[int, int, Any, Any], int]


class CellLost(SetupError):
    """The workbook did not take the cell in row {row}, column {column} (code {code}); nothing was exported.
    Export as csv, json or parquet instead."""


class _Sheets:
    """The open workbook: fills one sheet of rows after the other, and one of texts that are too long for a cell."""

    def __init__(self, book: Workbook, table: Table, zone: str, money: str, sheet_rows: int) -> None:
        self._book, self._table, self._zone, self._room = book, table, zone, sheet_rows
        self._money = money
        self._head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF2F5"})
        self._plain = book.add_format({"num_format": "General"})
        self._formats = [self._format(name, kind) for name, kind in table.columns]
        self._sheet: Worksheet | None = None
        self._long: Worksheet | None = None
        self._sheets = self._row = self._long_texts = 0

    def add(self, batch: pl.DataFrame) -> None:
        """Write the rows of a batch, on as many sheets as they need. Raises CellLost."""
        while batch.height:
            full = self._sheet is None or self._row == self._room - 1
            sheet = self._open(batch) if full else self._sheet
            part = batch.head(self._room - 1 - self._row)
            self._fill(sheet, listed(part, self._table.columns))
            batch = batch.slice(part.height)

    def close(self) -> None:
        """Filters go over the rows that were written. A table without rows has its header all the same."""
        sheet = self._sheet or self._open(pl.DataFrame(schema={name: pl.String for name, _ in self._table.columns}))
        sheet.autofilter(0, 0, self._row, max(0, len(self._table.columns) - 1))

    def _open(self, batch: pl.DataFrame) -> Worksheet:
        """A new sheet with its header; columns are as wide as what they begin with."""
        if self._sheet is not None:
            self.close()
        self._sheets += 1
        name = self._table.name[:25]
        sheet = self._book.add_worksheet(name if self._sheets == 1 else f"{name} {self._sheets}")
        for column, (heading, kind) in enumerate(self._table.columns):
            checked(sheet.write_string(0, column, heading, self._head), 0, column)
            sheet.set_column(column, column, _width(batch, heading, kind))
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        xlsx_summary.on_paper(sheet)
        self._sheet, self._row = sheet, 0
        return sheet

    def _fill(self, sheet: Worksheet, part: pl.DataFrame) -> None:
        columns = xlsx_cells.columns_of(part, self._table.columns, self._zone)
        kinds = [kind for _, kind in self._table.columns]
        writers = [self._writer(sheet, kind, cells) for kind, cells in zip(kinds, columns, strict=True)]
        write = [(column, *each) for column, each in enumerate(zip(writers, self._formats, strict=True))]
        row = self._row
        for values in zip(*(cells.values for cells in columns), strict=True):
            row += 1
            for (column, write_cell, shape), value in zip(write, values, strict=True):
                if value is not None and (code := write_cell(row, column, value, shape)) != 0:
                    raise CellLost(row=row + 1, column=column + 1, code=code)
        self._row += part.height

    def _writer(self, sheet: Worksheet, kind: Type, cells: Cells) -> Write:
        if cells.unusual:
            return lambda row, column, value, shape: self._unusual(sheet, row, column, value, shape)
        writers = {Type.BOOLEAN: sheet.write_boolean, Type.STRING: sheet.write_string, Type.STRINGS: sheet.write_string}
        return writers.get(kind, sheet.write_number)  # type: ignore[no-any-return]

    def _unusual(self, sheet: Worksheet, row: int, column: int, value: Any, shape: Any) -> int:
        if not isinstance(value, str):
            return int(sheet.write_number(row, column, value, shape))
        length = xlsx_cells.units(value)
        if length > CELL_UNITS:
            self._keep(value)
            value = f"(a text of {len(value)} characters: see sheet Long texts, row {self._long_texts})"
        return text_cell(sheet, row, column, value, self._plain)

    def _keep(self, text: str) -> None:
        """Each long text in a row of its own, cut into cells that together hold all of it."""
        self._long = self._long or self._book.add_worksheet("Long texts")
        for column, piece in enumerate(xlsx_cells.pieces(text)):
            checked(text_cell(self._long, self._long_texts, column, piece, self._plain), self._long_texts, column)
        self._long_texts += 1

    def _format(self, name: str, kind: Type) -> Any:
        match kind:
            case Type.INSTANT:
                return self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
            case Type.INTEGER:
                return self._book.add_format({"num_format": "#,##0"})
            case Type.FLOAT:
                # Quantities as they are: any fixed number of decimals would hide some or show an empty point.
                return self._book.add_format({"num_format": self._money}) if is_money(name) else None
        return None


def write(table: Table, path: Path, zone: str, about: dict[str, Any], sheet_rows: int = SHEET_ROWS) -> int:
    """Write all rows, on as many sheets as they need, then a summary with a chart, and all of the manifest; returns how
    many rows. What xlsxwriter keeps on the disk meanwhile lies beside the file, and goes with it. Raises CellLost."""
    tally = Tally(table.columns, table.adding)
    with TemporaryDirectory(prefix=".xlsx-", dir=path.parent) as folder:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        # Not as a context manager: that would finish the whole file also when the export is cancelled.
        book = xlsxwriter.Workbook(path, options | {"tmpdir": folder, "use_zip64": True})
        try:
            _fill(book, table, zone, about, tally, sheet_rows)
            _finish(book)
        except BaseException:
            _abandon(book)
            raise
    return tally.rows


def _fill(book: Workbook, table: Table, zone: str, about: dict[str, Any], tally: Tally, sheet_rows: int) -> None:
    sheets = _Sheets(book, table, zone, cell_format(about.get("currency", "")), sheet_rows)
    for batch in tally.through(table.batches):
        sheets.add(batch)
    sheets.close()
    insight = table.insight() if table.insight else of_tally(tally)
    xlsx_summary.add(book, about | {"rows": tally.rows}, insight)


def checked(code: int, row: int, column: int) -> None:
    """Raises CellLost for the negative codes with which xlsxwriter tells of a cell that it dropped."""
    if code < 0:
        raise CellLost(row=row + 1, column=column + 1, code=code)


def _width(batch: pl.DataFrame, heading: str, kind: Type) -> int:
    if kind is Type.INSTANT:
        return 20
    if kind is not Type.STRING:
        return max(12, len(heading) + 2)
    return min(max(12, len(heading) + 2, longest_text(batch[heading].head(1000)) + 1), WIDEST)


def _finish(book: Workbook) -> None:
    """Put the file together. Raises the error of the disk, which xlsxwriter wraps."""
    try:
        book.close()
    except FileCreateError as error:
        raise (error.args[0] if error.args and isinstance(error.args[0], OSError) else error) from None


def _abandon(book: Workbook) -> None:
    """Close what xlsxwriter has open of an unfinished book."""
    for sheet in book.worksheets():
        sheet.row_data_fh.close()
