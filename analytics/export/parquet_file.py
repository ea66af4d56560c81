"""Parquet for other programs: the types of the lake, instants in UTC, and the manifest in the file's metadata."""

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.export.tables import Table
from analytics.schema import ARROW


def write(table: Table, path: Path, about: dict[str, Any]) -> int:
    """Write all rows; returns how many."""
    schema = pa.schema([(name, ARROW[kind]) for name, kind in table.columns])
    marked = schema.with_metadata({"stockverify": msgspec.json.encode(about)})
    rows = 0
    with pq.ParquetWriter(path, marked, compression="zstd") as writer:
        for batch in table.batches:
            writer.write_table(
                batch.select(schema.names).to_arrow().cast(schema).replace_schema_metadata(marked.metadata)
            )
            rows += batch.height
    return rows
