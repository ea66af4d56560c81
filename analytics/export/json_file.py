"""JSON: `{"about": {...}, "rows": [...]}`, one row per line, so that large files can be read line by line too."""

from pathlib import Path
from typing import Any

import msgspec

from analytics.export.cells import zoned
from analytics.export.tables import Table


def write(table: Table, path: Path, zone: str, about: dict[str, Any]) -> int:
    """Write all rows; returns how many."""
    rows = 0
    with path.open("wb") as file:
        file.write(b'{"about": ' + msgspec.json.encode(about) + b',\n"rows": [')
        for batch in table.batches:
            for row in zoned(batch, table.columns, zone).iter_rows(named=True):
                file.write((b",\n" if rows else b"\n") + msgspec.json.encode(row))
                rows += 1
        file.write(b"\n]}\n")
    return rows
