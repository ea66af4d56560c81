"""Reading several collections of MongoDB as they were at one cluster time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from math import fsum
from typing import Any, NamedTuple, cast

import pyarrow as pa
from bson.timestamp import Timestamp
from pymongo.client_session import ClientSession
from pymongo.database import Database

from analytics.extract.arrow import projection, table
from analytics.lake.parts import RECONCILED
from analytics.schema import arrow_schema
from stockverify.clients import Document
from stockverify.datasets import BOOK, Dataset

# About 16 MB of documents, which is what MongoDB sends at once at most; each becomes one Parquet row group.
BATCH = 20_000

WHOLE_COLLECTION = "extract: reads the whole collection"
"""Says to whoever watches MongoDB that this scan is meant."""


class Moment(NamedTuple):
    """One cluster time, and the session that reads at it. It stays readable for the server's history window
    (five minutes by default; half an hour on the embedded server)."""

    session: ClientSession
    cluster_time: Timestamp

    @property
    def as_of(self) -> datetime:
        """The cluster time as an instant, to the second: all that was acknowledged before the read began is in it."""
        return self.cluster_time.as_datetime().astimezone(UTC)


class Totals(NamedTuple):
    """How many rows there are, and the sums of their quantities (RECONCILED)."""

    rows: int
    sums: dict[str, float]


@contextmanager
def moment(database: Database[Document], datasets: tuple[Dataset, ...]) -> Iterator[Moment | None]:
    """The present moment, or None when none of their collections holds anything."""
    with moment_of(database, [str(dataset.collection) for dataset in datasets]) as at:
        yield at


@contextmanager
def moment_of(database: Database[Document], names: Sequence[str]) -> Iterator[Moment | None]:
    """The same for collections by their names.

    MongoDB fixes the time of a snapshot session at its first read of a collection that exists.
    """
    with database.client.start_session(snapshot=True) as session:
        replies = [_first(database, name, session) for name in names]
        times = [cursor["atClusterTime"] for cursor in replies if "atClusterTime" in cursor]
        filled = any(cursor["firstBatch"] for cursor in replies)
        yield Moment(session, times[0]) if filled else None


def _first(database: Database[Document], name: str, session: ClientSession) -> Document:
    find = {"find": name, "limit": 1, "singleBatch": True, "projection": {"_id": 1}}
    cursor: Document = database.command(find, session=session)["cursor"]
    return cursor


def batches(database: Database[Document], dataset: Dataset, at: Moment) -> Iterator[pa.Table]:
    """All documents of a dataset's collection at that moment, batch by batch."""
    return _found(database, dataset, at, {}, WHOLE_COLLECTION)


def some(database: Database[Document], dataset: Dataset, at: Moment, ids: Sequence[Any]) -> pa.Table:
    """The documents with these ids at that moment, those that exist."""
    found = [batch for few in _chunks(ids) for batch in _found(database, dataset, at, _among(few), None)]
    return pa.concat_tables([arrow_schema(dataset).empty_table(), *found])


def _found(
    database: Database[Document], dataset: Dataset, at: Moment, wanted: Document, comment: str | None
) -> Iterator[pa.Table]:
    collection = database[str(dataset.collection)]
    for batch in collection.find_raw_batches(
        wanted, projection(dataset), batch_size=BATCH, session=at.session, comment=comment
    ):
        # Its type says documents, but raw batches are bytes.
        yield table(dataset, cast(bytes, batch), collection.codec_options)


def totals(database: Database[Document], dataset: Dataset, at: Moment) -> Totals:
    """What MongoDB itself counts and adds up at that moment."""
    return _totals(database, dataset, at, {}, WHOLE_COLLECTION)


def totals_of_some(database: Database[Document], dataset: Dataset, at: Moment, ids: Sequence[Any]) -> Totals:
    """The same for the documents with these ids."""
    several = [_totals(database, dataset, at, _among(few), None) for few in _chunks(ids)]
    return added_up(several, sums(dataset))


def _totals(
    database: Database[Document], dataset: Dataset, at: Moment, wanted: Document, comment: str | None
) -> Totals:
    rows: Any = {"$add": [1, {"$size": {"$ifNull": ["$versions", []]}}]} if dataset is BOOK else 1
    group = {"_id": None, "rows": {"$sum": rows}, **{name: {"$sum": _value(name, dataset)} for name in sums(dataset)}}
    found = database[str(dataset.collection)].aggregate(
        [{"$match": wanted}, {"$group": group}], session=at.session, comment=comment
    )
    first = next(found, {"rows": 0})
    return Totals(first["rows"], {name: float(first.get(name, 0)) for name in sums(dataset)})


def added_up(several: Sequence[Totals], names: Sequence[str]) -> Totals:
    """The totals of several parts together."""
    rows = sum(each.rows for each in several)
    return Totals(rows, {name: fsum(each.sums[name] for each in several) for name in names})


def sums(dataset: Dataset) -> tuple[str, ...]:
    """The quantities of a dataset that are reconciled."""
    return tuple(name for name in RECONCILED if name in dataset.names)


def _value(name: str, dataset: Dataset) -> Document:
    """A quantity, with those of a line's old versions. NaN, which no accepted record has, is null in the lake."""
    number = {"$cond": [{"$eq": [f"${name}", float("nan")]}, None, f"${name}"]}
    return {"$sum": [number, {"$sum": f"$versions.{name}"}]} if dataset is BOOK else number


def _chunks(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _among(ids: Sequence[Any]) -> Document:
    return {"_id": {"$in": list(ids)}}


def incarnations(database: Database[Document]) -> dict[str, str]:
    """MongoDB's own ids of all collections: one that was dropped, or restored from a backup, has another."""
    return {
        each["name"]: str(each["info"]["uuid"].hex()) for each in database.list_collections() if "uuid" in each["info"]
    }
