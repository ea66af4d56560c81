"""A file as a table of texts, before anything is known about its columns: what both readers hand on."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import polars as pl

from stockverify.errors import BadInput, TooLarge

MAX_BYTES = 256 * 2**20
MAX_ROWS = 2_000_000
MAX_COLUMNS = 1000

Cell = str | float | None
Row = tuple[int, list[Cell]]


class TooManyRows(TooLarge):
    """The list has more than {limit:,} rows. Split it into several files and import them one after the other."""


class TooManyColumns(TooLarge):
    """Line {line} has {width:,} columns; a stock list has at most {limit:,}. Check the delimiter, or remove columns."""


class NothingInside(BadInput):
    """The list has no rows{where}. It needs a heading line with the names of the columns, and a line per item."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the person says about the file; None is found out. `columns` maps our names to the file's headings; those
    that it lacks are guessed, unless `guess` is false."""

    columns: dict[str, str] = {}
    guess: bool = True
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    sheet: str | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """How a file was read, for the person to check."""

    kind: str
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    sheets: tuple[str, ...] = ()


class Table(NamedTuple):
    """The heading, and a frame with `line`, `width`, the texts `text0`.. and, where a workbook holds numbers,
    `number3`.. beside them.
    `width` is the number of cells that the row really had, empty ones beyond the heading left out."""

    heading: tuple[str, ...]
    frame: pl.DataFrame
    facts: Facts


def build(rows: Iterable[Row], facts: Facts) -> Table:
    """A table of the rows that are not blank; the first of them is the heading."""
    filled = ((line, cells) for line, cells in rows if _filled_width(cells))
    line, first = next(filled, (0, []))
    first = first[: _filled_width(first)]
    if not first:
        raise NothingInside(where="")
    if len(first) > MAX_COLUMNS:
        raise TooManyColumns(line=line, width=len(first), limit=MAX_COLUMNS)
    heading = tuple(" ".join((as_text(cell) or "").split()) for cell in first)
    lines: list[int] = []
    widths: list[int] = []
    body: list[list[Cell]] = []
    for line, cells in filled:
        if len(body) == MAX_ROWS:
            raise TooManyRows(limit=MAX_ROWS)
        lines.append(line)
        widths.append(max(_filled_width(cells), min(len(cells), len(heading))))
        body.append(_fitted(cells, len(heading)))
    if not body:
        raise NothingInside(where=" below its heading")
    columns = {"line": pl.Series(lines, dtype=pl.Int64), "width": pl.Series(widths, dtype=pl.Int64)}
    for position, column in enumerate(zip(*body, strict=True)):
        columns |= _column(position, column)
    return Table(heading, pl.DataFrame(columns), facts)


def as_text(cell: Cell) -> str | None:
    """The text of a cell as its author saw it: 123.0 is `123`; a number that has lost digits shows that it has."""
    if not isinstance(cell, float):
        return cell
    if abs(cell) >= 1e15:
        return f"{cell:.14E}"
    return str(int(cell)) if cell.is_integer() else repr(cell)


def _filled_width(cells: list[Cell]) -> int:
    """Without the empty cells at the end, which exports leave behind; 0 when the row is blank."""
    end = len(cells)
    while end and _is_blank(cells[end - 1]):
        end -= 1
    return end


def _is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _fitted(cells: list[Cell], width: int) -> list[Cell]:
    return cells[:width] if len(cells) >= width else cells + [None] * (width - len(cells))


def _column(position: int, cells: tuple[Cell, ...]) -> dict[str, pl.Series]:
    numbers = [cell if isinstance(cell, float) else None for cell in cells]
    column = {f"text{position}": pl.Series([as_text(cell) for cell in cells], dtype=pl.String)}
    if any(number is not None for number in numbers):
        column[f"number{position}"] = pl.Series(numbers, dtype=pl.Float64)
    return column
