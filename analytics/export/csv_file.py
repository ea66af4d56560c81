"""CSV for spreadsheets and programs: UTF-8, commas, CRLF; null is nothing and an empty text is "".

Without the mark at its beginning (BOM) Excel takes the file for something else than UTF-8, so it is there unless asked
otherwise. A text that begins like a formula gets an apostrophe before it (cells.guarded); numbers and `00123` stay.
"""

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
        header.write_csv(file, line_terminator="\r\n")
        for batch in table.batches:
            guarded(flat(batch, table.columns, zone)).write_csv(file, include_header=False, line_terminator="\r\n")
            rows += batch.height
    return rows
