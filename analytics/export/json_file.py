"""JSON: `{"about": {...}, "rows": [...], "row_count": n}`, one row per line, and NDJSON: the rows alone.

Polars writes the rows, ten times as fast as Python. It escapes line breaks within texts, so each one ends a row.
"""

from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from analytics.export.cells import zoned
from analytics.export.tables import Table


def write(table: Table, path: Path, zone: str, about: dict[str, Any]) -> int:
    """Write all rows as one JSON document; returns how many. `row_count` comes last: without it the file was cut."""
    rows = 0
    with path.open("wb") as file:
        file.write(b'{"about": ' + msgspec.json.encode(about) + b',\n"rows": [')
        for batch in table.batches:
            if batch.height:
                text = _lines(batch, table, zone).removesuffix(b"\n")
                file.write((b",\n" if rows else b"\n") + text.replace(b"\n", b",\n"))
                rows += batch.height
        file.write(b'\n],\n"row_count": %d}\n' % rows)
    return rows


def write_lines(table: Table, path: Path, zone: str) -> int:
    """Write each row as a JSON object in a line of its own; returns how many."""
    rows = 0
    with path.open("wb") as file:
        for batch in table.batches:
            file.write(_lines(batch, table, zone))
            rows += batch.height
    return rows


def _lines(batch: pl.DataFrame, table: Table, zone: str) -> bytes:
    text = BytesIO()
    zoned(batch, table.columns, zone).select(name for name, _ in table.columns).write_ndjson(text)
    return text.getvalue()
