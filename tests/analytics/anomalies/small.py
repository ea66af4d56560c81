"""A few rows, and what is found in them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from analytics.anomalies import FLAG, Options
from analytics.anomalies.find import detected
from analytics.anomalies.frames import Files
from stockverify.datasets import POSITIONS, RECORDS
from stockverify.vocabulary import AnomalyKind
from tests.analytics.lake.frozen import rows as table

Row = dict[str, Any]
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def position(item: str, book: float, verified: float, counter: str | None = "ann", **fields: Any) -> Row:
    """A counted line of the book."""
    return {
        "rack_id": "R1",
        "bin": "",
        "item_code": item,
        "category": "Tools",
        "book_qty": book,
        "verified_qty": verified,
        "variance_qty": verified - book,
        "counted": True,
        "in_book": True,
        "round": 1,
        "counted_by": counter,
        "counted_at": NOON,
        **fields,
    }


def record(name: str, verified: float, counter: str | None = "ann", serials: Sequence[str] = (), **fields: Any) -> Row:
    """A finalized record."""
    return {
        "client_record_id": name,
        "session_id": "s-1",
        "rack_id": "R1",
        "bin": "",
        "item_code": f"item of {name}",
        "round": 1,
        "verified_qty": verified,
        "serial_numbers": list(serials),
        "status": "finalized",
        "username": counter,
        "created_at": NOON,
        "updated_at": NOON,
        "received_at": NOON,
        **fields,
    }


def files(
    folder: Path, positions: Sequence[Row] = (), records: Sequence[Row] = (), previous: Sequence[Row] | None = None
) -> Files:
    """These rows as files."""
    paths = {name: folder / f"{name}.parquet" for name in Files._fields}
    pq.write_table(table(POSITIONS, *positions), paths["positions"])
    pq.write_table(table(RECORDS, *records), paths["records"])
    pq.write_table(table(POSITIONS, *(previous or ())), paths["previous"])
    earlier = () if previous is None else (paths["previous"],)
    return Files((paths["positions"],), (paths["records"],), earlier)


def found(folder: Path, kind: AnomalyKind, options: Options | None = None, **rows: Any) -> list[Row]:
    """The flags of one kind in these rows."""
    totals, flags = detected(files(folder, **rows), [kind], options or Options())
    assert flags.schema == FLAG
    assert totals == {kind: flags.height}
    return flags.to_dicts()
