"""Columns of a batch as a workbook takes them. What can be decided for a whole column is decided here at once; only a
column with something unusual in it is looked at cell by cell."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import polars as pl

from analytics.export.cells import instant_text
from stockverify.datasets import Type

CELL_UNITS = 32_767
"""What a cell holds, in the UTF-16 units of Excel."""
_MARKUP = "<r>"
"""A text that begins like this may be taken by xlsxwriter for markup of its own and would go into the file raw."""
_NO_XML = "[\ufffe\uffff]"
"""No XML may hold these, and Excel refuses a file that does; they come as U+FFFD."""
_DIGITS = 10**15
"""Excel keeps 15 digits of a number; a longer one stays whole as text."""
_RISKY_CHARACTERS = 18
"""The shortest text of a number that needs 17 digits: those and a point."""
_DAY = 86_400_000
# Excel takes 1900 for a leap year; from March on its count of days is right.
_EPOCH, _FIRST, _LAST = (pl.datetime(*day, time_unit="ms") for day in ((1899, 12, 30), (1900, 3, 1), (10000, 1, 1)))


class Whole(float):
    """A number that is written with as many digits as give it back: xlsxwriter writes 16, and some need 17."""

    def __format__(self, _: str) -> str:
        return float.__repr__(self)


class Cells(NamedTuple):
    """The values of one column, null where there is none. In an `unusual` column each has to be looked at: numbers and
    times that a cell cannot hold are texts in it, and texts may be too long for a cell."""

    values: list[Any]
    unusual: bool = False


def columns_of(batch: pl.DataFrame, columns: tuple[tuple[str, Type], ...], zone: str) -> list[Cells]:
    """All columns of a batch in which lists are texts already; times become days since Excel's epoch, in the zone."""
    return [_cells(batch.select(pl.col(name).alias("cell")), kind, zone) for name, kind in columns]


def units(text: str) -> int:
    """The length of a text as Excel counts it."""
    return len(text.encode("utf-16-le")) // 2


def pieces(text: str) -> Iterator[str]:
    """A text cut so that each piece fits into a cell, and no character is cut through."""
    start, room = 0, CELL_UNITS
    for place, character in enumerate(text):
        width = 1 if ord(character) < 0x10000 else 2
        if width > room:
            yield text[start:place]
            start, room = place, CELL_UNITS
        room -= width
    yield text[start:]


def text_cell(sheet: Any, row: int, column: int, text: str, shape: Any) -> int:
    """Write a text, whatever it looks like. What could be taken for markup goes in two pieces, which xlsxwriter marks
    up itself and escapes."""
    text = re.sub(_NO_XML, "\ufffd", text)
    if text.startswith(_MARKUP):
        return int(sheet.write_rich_string(row, column, text[:1], shape, text[1:]))
    return int(sheet.write_string(row, column, text, shape))


def _cells(column: pl.DataFrame, kind: Type, zone: str) -> Cells:
    cell = pl.col("cell")
    match kind:
        case Type.FLOAT:
            return _whole(column, _numbers(column, ~cell.is_finite()))
        case Type.INTEGER:
            return _numbers(column, (cell >= _DIGITS) | (cell <= -_DIGITS))
        case Type.INSTANT:
            return _instants(column, zone)
        case Type.BOOLEAN:
            return Cells(column["cell"].to_list())
    odd = (cell.str.len_bytes() > CELL_UNITS) | cell.str.starts_with(_MARKUP) | cell.str.contains(_NO_XML)
    return Cells(column["cell"].to_list(), bool(column.select(odd.any()).item()))


def _numbers(column: pl.DataFrame, odd: pl.Expr) -> Cells:
    flags = column.select(odd)["cell"]
    values = column["cell"].to_list()
    if not flags.any():
        return Cells(values)
    return Cells([str(value) if is_odd else value for value, is_odd in zip(values, flags, strict=True)], True)


def _whole(column: pl.DataFrame, cells: Cells) -> Cells:
    """The same with all digits; this costs a twentieth of writing the workbook."""
    is_long = pl.col("cell").cast(pl.String).str.len_bytes() >= _RISKY_CHARACTERS
    if not column.select(is_long.any()).item():
        return cells
    return cells._replace(values=[Whole(value) if isinstance(value, float) else value for value in cells.values])


def _instants(column: pl.DataFrame, zone: str) -> Cells:
    """Excel knows no zones and no times before 1900: a cell holds the wall time of the zone, or else a text."""
    wall = pl.col("cell").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    shown = column.select(
        days=pl.when(wall >= _FIRST, wall < _LAST).then((wall - _EPOCH).dt.total_milliseconds() / _DAY),
        text=instant_text("cell", zone),
    )
    odd = shown["days"].null_count() > shown["text"].null_count()
    if not odd:
        return Cells(shown["days"].to_list())
    return Cells([text if days is None else days for days, text in shown.iter_rows()], True)
