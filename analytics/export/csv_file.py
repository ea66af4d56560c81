"""CSV for spreadsheets and programs: UTF-8, commas, CRLF; null is nothing and an empty text is "".

Without the mark at its beginning (BOM) Excel takes the file for something else than UTF-8, so it is there unless asked
otherwise. A text that begins like a formula gets an apostrophe before it (cells.guarded); numbers and `00123` stay.
"""

from io import BytesIO
from pathlib import Path

import polars as pl

from analytics.export.cells import flat, guarded, guarded_text
from analytics.export.tables import Table

BOM = b"\xef\xbb\xbf"


def write(table: Table, path: Path, zone: str, bom: bool = True) -> int:
    """Write all rows; returns how many."""
    rows = 0
    with path.open("wb") as file:
        file.write(BOM if bom else b"")
        header = pl.DataFrame(schema={guarded_text(name): pl.String for name, _ in table.columns})
        file.write(_lines(header, include_header=True))
        for batch in table.batches:
            file.write(_lines(guarded(flat(batch, table.columns, zone))))
            rows += batch.height
    return rows


def _lines(frame: pl.DataFrame, include_header: bool = False) -> bytes:
    """Not written by Polars to the disk: its errors do not say which one of the disk's it was."""
    text = BytesIO()
    frame.write_csv(text, include_header=include_header, line_terminator="\r\n")
    return text.getvalue()
