"""The book in MongoDB: reads it for planning, and carries a plan out in unordered batches.

An import that dies half-way has written some lines and lost none: importing the same file again does the rest.
A line that another import changed since the plan was made is left as it is and counted as overtaken.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

import polars as pl
from pymongo import InsertOne, UpdateOne
from pymongo.database import Database
from pymongo.errors import BulkWriteError, PyMongoError

from stockverify import indexes
from stockverify.clients import Document
from stockverify.errors import SetupError, Unavailable
from stockverify.stocklist.columns import COLUMNS
from stockverify.stocklist.plan import BOOK_SCHEMA, KEY, RACK_SCHEMA, VALUED, Book, Plan
from stockverify.vocabulary import Collection, RackState

BATCH = 1000

_EMPTY: Document = {name: "" if name in ("floor", "bin") else None for name in COLUMNS}
_DUPLICATE_KEY = 11000

Progress = Callable[[int], None]
Operation = InsertOne[Document] | UpdateOne


class ImportInterrupted(SetupError):
    """MongoDB stopped taking the import after {done:,} of {total:,} writes: {problem}
    Import the same file again: it goes on where this one ended."""


class Applied(NamedTuple):
    """What was written, and how many lines another import had changed in the meantime."""

    lines: int
    racks: int
    overtaken: int


def read_book(database: Database[Document]) -> Book:
    """The stored lines and racks. Raises Unavailable."""
    wanted = dict.fromkeys(BOOK_SCHEMA, 1) | {"_id": 0}
    in_order = [(name, 1) for name in KEY]
    try:
        lines = list(database[Collection.ERP_ITEMS].find({}, wanted).sort(in_order).allow_disk_use(True))
        racks = list(database[Collection.RACKS].find({}, {"floor": 1, "item_count": 1}).sort("_id", 1))
    except PyMongoError:
        raise Unavailable(service="MongoDB") from None
    rows = [(rack["_id"], rack.get("floor"), rack.get("item_count")) for rack in racks]
    return Book(pl.DataFrame(lines, schema=BOOK_SCHEMA), pl.DataFrame(rows, schema=RACK_SCHEMA, orient="row"))


def apply(database: Database[Document], plan: Plan, now: datetime, progress: Progress | None = None) -> Applied:
    """Write what the plan says. `progress` is told how many writes are done, after each batch.

    Raises ImportInterrupted; doing it again is safe, also when the first one got through in part.
    """
    moment = now.replace(microsecond=now.microsecond // 1000 * 1000)  # MongoDB keeps milliseconds
    done = lines = racks = 0
    try:
        indexes.ensure_blocking(database)
        for collection, batch in _batches(plan, moment):
            written = _write(database, collection, batch)
            lines += written if collection is Collection.ERP_ITEMS else 0
            racks += written if collection is Collection.RACKS else 0
            done += len(batch)
            if progress:
                progress(done)
    except PyMongoError as error:
        raise ImportInterrupted(done=done, total=plan.writes, problem=str(error)[:300]) from None
    return Applied(lines=lines, racks=racks, overtaken=len(plan.added) + len(plan.changed) - lines)


def _batches(plan: Plan, now: datetime) -> Iterator[tuple[Collection, list[Operation]]]:
    for rows in plan.added.iter_slices(BATCH):
        yield Collection.ERP_ITEMS, [_insertion(row, plan.columns, now) for row in rows.iter_rows(named=True)]
    for rows in plan.changed.iter_slices(BATCH):
        yield Collection.ERP_ITEMS, [_change(row, plan.columns, now) for row in rows.iter_rows(named=True)]
    for rows in pl.concat([plan.new_racks, plan.changed_racks]).iter_slices(BATCH):
        yield Collection.RACKS, [_rack_upsert(row, now) for row in rows.iter_rows(named=True)]


def _insertion(row: Document, columns: tuple[str, ...], now: datetime) -> Operation:
    given = {name: row[name] for name in columns}
    return InsertOne(_EMPTY | given | {"updated_at": now, "valid_from": now})


def _change(row: Document, columns: tuple[str, ...], now: datetime) -> Operation:
    """Changes the line only as it was planned for; one with a new value keeps the old in `versions`."""
    which = {name: row[name] for name in KEY} | {"valid_from": row["stored_valid_from"]}
    change: Document = {"$set": {name: row[name] for name in columns if name not in KEY} | {"updated_at": now}}
    if row["revalued"]:
        change["$set"]["valid_from"] = now
        before = {name: row[f"stored_{name}"] for name in VALUED}
        change["$push"] = {"versions": before | {"valid_from": row["stored_valid_from"], "valid_until": now}}
    return UpdateOne(which, change)


def _rack_upsert(row: Document, now: datetime) -> Operation:
    """The service alone changes the status, the fence and the holder of a rack that exists."""
    fresh = {"status": RackState.AVAILABLE.value, "fence": 0, "round": 1, "updated_at": now}
    fresh |= {"claimed_by": None, "session_id": None}
    known = {"floor": row["floor"], "item_count": row["item_count"]}
    return UpdateOne({"_id": row["rack_id"]}, {"$set": known, "$setOnInsert": fresh}, upsert=True)


def _write(database: Database[Document], collection: Collection, batch: list[Operation]) -> int:
    """How many of the batch took effect; a line that another import inserted first is none of them."""
    try:
        outcome = database[collection].bulk_write(batch, ordered=False)
    except BulkWriteError as error:
        if any(fault["code"] != _DUPLICATE_KEY for fault in error.details["writeErrors"]):
            raise
        counts = error.details
        return int(counts["nInserted"] + counts["nMatched"] + counts["nUpserted"])
    return outcome.inserted_count + outcome.matched_count + outcome.upserted_count
