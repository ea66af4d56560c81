"""A lake of any size, written as Parquet without MongoDB: snapshots of one store, each a little further counted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from analytics.lake.manifest import Part
from analytics.lake.parts import ROWS_PER_PART, Kept
from analytics.lake.publish import Head, Published, publish
from analytics.schema import ARROW
from stockverify.datasets import BOOK, ITEMS, POSITIONS, RECORDS, SESSIONS, Dataset, Type

AS_OF = datetime(2026, 1, 31, 18, 0, tzinfo=UTC)
PER_RACK = 2_000
"""Lines of a rack; 10,000,000 are 5,000 racks."""
STEPS = (90, 91, 92)
"""How many racks of a hundred are counted at each snapshot."""
_SQL = {Type.STRING: "VARCHAR", Type.FLOAT: "DOUBLE", Type.INTEGER: "BIGINT", Type.BOOLEAN: "BOOLEAN"}
_SQL |= {Type.INSTANT: "TIMESTAMPTZ", Type.STRINGS: "VARCHAR[]"}
_COUNTED = f"(i // {PER_RACK}) % 100 < $counted"
_BOOK = "(i % 97)::DOUBLE"
_STEP = "(CASE WHEN i * 7 % 11 = 0 THEN -1 WHEN i % 53 = 0 THEN 2 ELSE 0 END)::DOUBLE"
_COST = "round(1 + i % 1000 / 7.0, 2)::DOUBLE"
_TIME = "to_timestamp(1769880000 + i % 7200)"

_VALUES: dict[str, str] = {
    "client_record_id": "'c-' || i",
    "line_id": "'l-' || i",
    "version": "1",
    "session_id": f"'s-' || i // {PER_RACK}",
    "rack_id": f"'R-' || lpad((i // {PER_RACK})::VARCHAR, 5, '0')",
    "floor": f"'Floor ' || (i // {PER_RACK}) % 12",
    "bin": "'B' || i % 12",
    "item_code": "lpad((i * 7919 % 1000003)::VARCHAR, 8, '0') || i % 2000",
    "item_name": "'Name of item number ' || i * 31 % 50000",
    "category": "'Category ' || i % 23",
    "subcategory": "'Part ' || i % 91",
    "uom": "'EA'",
    "unit_cost": _COST,
    "mrp": _COST,
    "book_qty": _BOOK,
    "round": "1",
    "status": "'finalized'",
    "unknown_item": "FALSE",
    "damage_qty": "(i % 50 = 0)::DOUBLE",
    "username": "'counter' || i % 40",
    "user_id": "'u-' || i % 40",
    "device_id": "'d-' || i % 40",
    "created_at": _TIME,
    "updated_at": _TIME,
    "received_at": _TIME,
    "started_at": "to_timestamp(1769880000)",
    "completed_at": "to_timestamp(1769890000)",
}
_OF_RECORDS = _VALUES | {"verified_qty": f"greatest({_BOOK} + {_STEP}, 0)", "serial_numbers": "[]::VARCHAR[]"}
_OF_POSITIONS = _VALUES | {
    "verified_qty": f"CASE WHEN {_COUNTED} THEN {_BOOK} + {_STEP} END",
    "damage_qty": f"CASE WHEN {_COUNTED} THEN (i % 50 = 0)::DOUBLE END",
    "variance_qty": f"CASE WHEN {_COUNTED} THEN {_STEP} END",
    "variance_value": f"CASE WHEN {_COUNTED} THEN {_STEP} * {_COST} END",
    "counted": _COUNTED,
    "in_book": "TRUE",
    "round": f"CASE WHEN {_COUNTED} THEN 1 END",
    "counted_by": f"CASE WHEN {_COUNTED} THEN 'counter' || i % 40 END",
    "counted_at": f"CASE WHEN {_COUNTED} THEN {_TIME} END",
}


def fill(root: Path, rows: int) -> list[str]:
    """Write the snapshots; gives their ids, oldest first. They share all files but those of positions, as real ones do
    as far as nothing changed."""
    heads = [_head(number) for number in range(len(STEPS))]
    first = {
        dataset: publish(root, dataset, heads[0], _batches(dataset, values, many, 100), {}, {})
        for dataset, values, many in (
            (RECORDS, _OF_RECORDS, rows),
            (SESSIONS, _VALUES, -(-rows // PER_RACK)),
            (ITEMS, _VALUES, rows),
            (BOOK, _VALUES, 1),
        )
    }
    for head, counted in zip(heads, STEPS, strict=True):
        same = first if head is heads[0] else {each: _again(root, each, head, done) for each, done in first.items()}
        sources = {dataset.name: published.sha256 for dataset, published in same.items()}
        publish(root, POSITIONS, head, _batches(POSITIONS, _OF_POSITIONS, rows, counted), {}, sources)
    return [head.snapshot_id for head in heads]


def _head(number: int) -> Head:
    at = AS_OF + timedelta(hours=number)
    snapshot_id = f"{at:%Y%m%dT%H%M%S}000Z-{number:08x}"
    return Head(snapshot_id=snapshot_id, name=f"Hour {number}", as_of=at, created_at=at)


def _again(root: Path, dataset: Dataset, head: Head, done: Published) -> Published:
    folder = root / dataset.name / done.manifest.snapshot_id
    parts: tuple[Part, ...] = done.manifest.files
    return publish(root, dataset, head, [], {}, {}, kept=tuple(Kept(folder / part.name, part) for part in parts))


def _batches(dataset: Dataset, values: dict[str, str], rows: int, counted: int) -> Iterator[pa.Table]:
    """Columns that nobody has a value for are null."""
    each = (f"({values.get(column.name, 'NULL')})::{_SQL[column.type]} AS {column.name}" for column in dataset.columns)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        places = {"rows": rows} | ({"counted": counted} if dataset == POSITIONS else {})
        found = connection.sql(f"SELECT {', '.join(each)} FROM range($rows) t(i)", params=places)
        schema = pa.schema([(column.name, ARROW[column.type]) for column in dataset.columns])
        for batch in found.to_arrow_reader(ROWS_PER_PART):
            yield pa.Table.from_batches([batch]).cast(schema)
