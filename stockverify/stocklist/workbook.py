"""Reads the first or a named sheet of an .xlsx workbook. It may be hostile: its sizes are checked first."""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta

import python_calamine

from stockverify.errors import BadInput, TooLarge
from stockverify.stocklist.table import MAX_COLUMNS, MAX_ROWS, Cell, Facts, Options, Row, Table, build

ZIP_MARK = b"PK\x03\x04"
OLD_EXCEL_MARK = b"\xd0\xcf\x11\xe0"

_MAX_UNPACKED = 2**30
_MAX_CELLS = 40_000_000
_CHUNK = 2**20
_OVERLAP = 64
_REFERENCE = re.compile(rb'\br=["\']([A-Z]{1,3})([0-9]{1,7})["\']')


class NotAWorkbook(BadInput):
    """The file is not a workbook that can be read: {problem}. Save it as .xlsx without a password, or as CSV."""


class NoSuchSheet(BadInput):
    """The workbook has no sheet {sheet!r}. It has: {sheets}."""


class WorkbookTooLarge(TooLarge):
    """The workbook is too large: {problem}. Delete what lies outside the list, or export it as CSV."""


def read(data: bytes, options: Options) -> Table:
    """A table of the bytes of a workbook."""
    refuse_bombs(data)
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = tuple(workbook.sheet_names)
        name = _sheet_name(workbook.sheet_names, options.sheet)
        rows = list(workbook.get_sheet_by_name(name).iter_rows())
    except BadInput:
        raise
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic inside the reader is no Exception
        raise NotAWorkbook(problem=f"its content is damaged ({type(error).__name__})") from None
    return build(_numbered(rows), Facts(kind="xlsx", sheet=name, sheets=sheets))


def _sheet_name(names: list[str], wanted: str | None) -> str:
    if not names:
        raise NotAWorkbook(problem="it has no sheets")
    if wanted is not None and wanted not in names:
        raise NoSuchSheet(sheet=wanted, sheets=", ".join(names))
    return wanted or names[0]


def _numbered(rows: Iterable[Sequence[object]]) -> Iterator[Row]:
    for number, row in enumerate(rows, start=1):
        yield number, [_cell(value) for value in row]


def _cell(value: object) -> Cell:
    match value:
        case bool():
            return str(value).upper()
        case int() | float():
            return float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
    return str(value)


def refuse_bombs(data: bytes, most: int = _MAX_UNPACKED) -> None:
    """A few bytes can claim terabytes, as a packed file or as one cell in the far corner of a sheet. `most` is how many
    bytes there may be of it unpacked; the reader holds every part to the size that it announces."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _refuse_large(archive, most)
    except WorkbookTooLarge:
        raise
    except Exception as error:  # zipfile and its decompressors raise a dozen kinds
        raise NotAWorkbook(problem=f"it is not a whole archive ({error})") from None


def _refuse_large(archive: zipfile.ZipFile, most: int) -> None:
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if unpacked > most:
        raise WorkbookTooLarge(problem=f"unpacked it has {unpacked:,} bytes, allowed are {most:,}")
    for member in members:
        if member.filename.lower().startswith("xl/worksheets/") and member.filename.lower().endswith(".xml"):
            _refuse_far_cells(archive, member)


def _refuse_far_cells(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    width = height = 0
    tail = b""
    with archive.open(member) as sheet:
        while chunk := sheet.read(_CHUNK):
            for letters, digits in _REFERENCE.findall(tail + chunk):
                width, height = max(width, _column_number(letters)), max(height, int(digits))
            tail = chunk[-_OVERLAP:]
    if width > MAX_COLUMNS or height > MAX_ROWS or width * height > _MAX_CELLS:
        raise WorkbookTooLarge(problem=f"{member.filename} reaches over {width:,} columns and {height:,} rows")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
