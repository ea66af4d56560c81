"""Opens a stock list: bytes in, a table of texts out. The content decides what it is, not the name of the file."""

from pathlib import Path

from stockverify.errors import BadInput, TooLarge
from stockverify.stocklist import delimited, workbook
from stockverify.stocklist.table import MAX_BYTES, NothingInside, Options, Table


class CannotOpen(BadInput):
    """The file {path} cannot be read: {problem}."""


class FileTooLarge(TooLarge):
    """The file is larger than {limit:,} bytes. Split the list into several files."""


def read(source: Path | bytes, options: Options) -> Table:
    """A table of a file or of its bytes."""
    data = source if isinstance(source, bytes) else _bytes(source)
    if len(data) > MAX_BYTES:
        raise FileTooLarge(limit=MAX_BYTES)
    if not data:
        raise NothingInside(where=": the file is empty")
    if data.startswith(workbook.OLD_EXCEL_MARK):
        raise workbook.NotAWorkbook(problem="it is in the old Excel format, or has a password")
    return workbook.read(data, options) if data.startswith(workbook.ZIP_MARK) else delimited.read(data, options)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CannotOpen(path=path, problem=error.strerror) from None
