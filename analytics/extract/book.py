"""The book's versions: what each stored line said when, from its document and the old values kept in it."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analytics.schema import ARROW, arrow_schema
from stockverify.datasets import BOOK, Type

_SAME = ("line_id", "rack_id", "bin", "item_code", "floor")
_OWN = ("unit_cost", "book_qty", "valid_from", "valid_until")
_KEPT = "versions"

PROJECTION: dict[str, Any] = {
    # Whatever the ids are, change streams name the same documents by them.
    "line_id": {"$toString": "$_id"},
    **dict.fromkeys((*_SAME[1:], *_OWN[:-1], _KEPT), 1),
}

FIELDS: dict[str, pa.DataType] = {
    **dict.fromkeys(_SAME, ARROW[Type.STRING]),
    **{name: arrow_schema(BOOK).field(name).type for name in _OWN[:-1]},
    _KEPT: pa.list_(pa.struct([arrow_schema(BOOK).field(name) for name in _OWN])),
}


def versions(lines: pa.Table) -> pa.Table:
    """One row for each version of each line (columns FIELDS): the current values, and the old ones under `versions`."""
    kept = lines[_KEPT].combine_chunks()
    counts = pc.fill_null(pc.list_value_length(kept), 0)
    current = {
        "version": pc.cast(pc.add(counts, 1), pa.int64()),
        "valid_until": pa.nulls(len(lines), ARROW[Type.INSTANT]),
    }
    parents = pc.list_parent_indices(kept)
    before = dict(zip(_OWN, pc.list_flatten(kept).flatten(), strict=True)) | {"version": _numbered(counts)}
    return pa.concat_tables(
        [
            _rows(lines, {name: lines[name] for name in _OWN[:-1]} | current),
            _rows(lines.select(_SAME).take(parents), before),
        ]
    )


def _rows(lines: pa.Table, own: dict[str, Any]) -> pa.Table:
    columns = {name: lines[name] for name in _SAME} | own
    return pa.table({name: columns[name] for name in BOOK.names}, schema=arrow_schema(BOOK))


def _numbered(counts: pa.Array) -> pa.Array:
    """1, 2, 3 … within each line, for lines with so many old versions."""
    sizes = counts.to_numpy(zero_copy_only=False).astype("int64")
    before = np.repeat(np.cumsum(sizes) - sizes, sizes)
    return pa.array(np.arange(len(before)) - before + 1, pa.int64())
