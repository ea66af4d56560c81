"""A stock with two moments of its count: real looking lines, and some that try to be more than text."""

import csv
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from pymongo.database import Database

from analytics import reports
from analytics.extract import materialise
from analytics.lake import Freeze, Lake
from analytics.query import checked
from stockverify.clients import Document, as_stored
from stockverify.vocabulary import Collection
from stockverify.wire.reports import QuerySpec
from tests.analytics.stock import item, record, session

SAMPLE = Path(__file__).parent.parent.parent / "data" / "sample_stock.csv"
NUMBERS = ("unit_cost", "mrp", "book_qty")
HOSTILE_NAME = '<script>alert("x")</script> [link](https://example.com) $x^2$ **bold**'
HOSTILE_RACK = "R-*1*_<b>`x`"
LONG_SERIAL = "123456789012345678"


def stock_list() -> list[Document]:
    """The sample stock list, and a rack whose names are traps."""
    with SAMPLE.open(newline="", encoding="utf-8") as file:
        lines = [{**row, **{name: float(row[name]) for name in NUMBERS}} for row in csv.DictReader(file)]
    traps = [
        item(HOSTILE_RACK, "=1+1", 4.0, floor="Ground Floor", item_name=HOSTILE_NAME, unit_cost=1000.0),
        item(HOSTILE_RACK, "00123", 2.5, floor="Ground Floor", item_name="=HYPERLINK(0)", unit_cost=0.1),
    ]
    return [item(**line) for line in lines] + traps  # type: ignore[arg-type]


def racks(lines: list[Document]) -> list[str]:
    """In the order of the stock list."""
    return list(dict.fromkeys(line["rack_id"] for line in lines))


def counts(lines: list[Document], chosen: list[str], at: datetime) -> Iterator[Document]:
    """A finalized record for each line of the chosen racks; every seventh is short, every eleventh over, some damaged.
    The last line of each rack with many lines is only seen, which leaves the rack counted in part."""
    for number, line in enumerate(line for line in lines if line["rack_id"] in chosen):
        wrong = -2.0 if number % 7 == 3 else 1.5 if number % 11 == 5 else 0.0
        found = max(0.0, line["book_qty"] + wrong)
        partial = number % 29 == 28
        yield record(
            f"c-{line['rack_id']}-{line['bin']}-{line['item_code']}",
            line["rack_id"],
            line["item_code"],
            None if partial else found,
            status="partial" if partial else "finalized",
            bin=line["bin"],
            floor=line["floor"],
            session_id=f"s-{line['rack_id']}",
            damage_qty=1.0 if number % 13 == 6 and found >= 1 else 0.0,
            serial_numbers=[LONG_SERIAL] if number == 0 else [],
            username=("ann", "ben", "zoë")[number % 3],
            received_at=at,
        )


def seed(database: Database[Document], chosen: list[str], at: datetime) -> None:
    """Count the chosen racks, which nobody has counted before."""
    lines = stock_list()
    database[Collection.RECORDS].insert_many(list(counts(lines, chosen, at)))
    database[Collection.SESSIONS].insert_many(
        [session(f"s-{rack}", rack, status="completed", started_at=at, completed_at=at) for rack in chosen]
    )


def two_snapshots(database: Database[Document], lake: Lake, now: datetime | None = None) -> tuple[Freeze, Freeze]:
    """The older one with a third of the racks counted, the newer one with more, and with an unknown item."""
    now = now or datetime.now(UTC)
    lines = stock_list()
    names = racks(lines)
    database[Collection.ERP_ITEMS].insert_many(lines)
    seed(database, names[: len(names) // 3], now - timedelta(hours=2))
    first = materialise(lake, database, now - timedelta(hours=1), "Morning count")
    more = names[len(names) // 3 : 2 * len(names) // 3]
    seed(database, [*more, HOSTILE_RACK], now - timedelta(minutes=30))
    unknown = record("c-unknown", names[0], "999999", 3.0, floor=lines[0]["floor"], unknown_item=True)
    database[Collection.RECORDS].insert_one(unknown)
    return first, materialise(lake, database, now, "Noon count")


def report_snapshot(lake: Lake, database: Database[Document], freeze_id: str, mark: str, by: str = "ann") -> Document:
    """A report of what was not counted in a freeze, kept as the service keeps one; `mark` tells it from others."""
    spec = QuerySpec(collection="positions", filters={"counted": False}, sort={"book_qty": -1})
    report_id, now = f"rs-{hashlib.sha256(mark.encode()).hexdigest()[:16]}", datetime.now(UTC)
    made = reports.keep(lake, report_id, freeze_id, checked(spec), msgspec.to_builtins(spec), now)
    document: Document = {
        "_id": report_id,
        "name": "Not counted yet",
        "description": "For the evening shift",
        "snapshot_type": "custom",
        "tags": ["evening", "open"],
        "query_spec": msgspec.json.encode(spec).decode(),
        "freeze_id": made.freeze_id,
        "refreshed_from": None,
        "stored": True,
        "as_of": as_stored(made.as_of),
        "created_by": by,
        "created_at": as_stored(now),
        "summary": {"as_of": made.as_of.timestamp(), "freeze_id": made.freeze_id, "totals": {}},
        "row_count": made.rows,
        "execution_time_ms": 1.0,
    }
    database[Collection.REPORT_SNAPSHOTS].insert_one(document)
    return document
