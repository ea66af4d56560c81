"""CSV for spreadsheets and programs: UTF-8, commas, CRLF; null is nothing and an empty text is "".

Without the mark at its beginning (BOM) Excel takes the file for something else than UTF-8, so it is there unless asked
otherwise. A text that begins like a formula gets an apostrophe before it (cells.guarded); numbers and `00123` stay.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import polars as pl

from analytics.export.cells import flat, guarded, guarded_text
from analytics.export.tables import Table

BOM = b"\xef\xbb\xbf"
_AT_ONCE = 2
T = TypeVar("T")


def write(table: Table, path: Path, zone: str, bom: bool = True) -> int:
    """Write all rows; returns how many."""
    rows = 0
    with path.open("wb") as file:
        file.write(BOM if bom else b"")
        header = pl.DataFrame(schema={guarded_text(name): pl.String for name, _ in table.columns})
        file.write(_lines(header, include_header=True))
        for lines, height in _two_at_once(
            lambda batch: (_lines(guarded(flat(batch, table.columns, zone))), batch.height), table.batches
        ):
            file.write(lines)
            rows += height
    return rows


def _two_at_once(work: Callable[[pl.DataFrame], T], batches: Iterator[pl.DataFrame]) -> Iterator[T]:
    """The work done on each batch, in order: Polars works on small batches with one core, so two are in hand."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        under_way: deque[Future[T]] = deque()
        for batch in batches:
            under_way.append(pool.submit(work, batch))
            if len(under_way) > _AT_ONCE:
                yield under_way.popleft().result()
        yield from (each.result() for each in under_way)


def _lines(frame: pl.DataFrame, include_header: bool = False) -> bytes:
    """Not written by Polars to the disk: its errors do not say which one of the disk's it was."""
    text = BytesIO()
    frame.write_csv(text, include_header=include_header, line_terminator="\r\n")
    return text.getvalue()
