"""Reading several collections of MongoDB as they were at one cluster time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple, cast

import pyarrow as pa
from bson.timestamp import Timestamp
from pymongo.client_session import ClientSession
from pymongo.database import Database

from analytics.extract.arrow import projection, table
from stockverify.clients import Document
from stockverify.datasets import Dataset

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


@contextmanager
def moment(database: Database[Document], datasets: tuple[Dataset, ...]) -> Iterator[Moment | None]:
    """The present moment, or None when none of the collections holds anything.

    MongoDB fixes the time of a snapshot session at its first read of a collection that exists.
    """
    with database.client.start_session(snapshot=True) as session:
        replies = [_first(database, dataset, session) for dataset in datasets]
        times = [cursor["atClusterTime"] for cursor in replies if "atClusterTime" in cursor]
        filled = any(cursor["firstBatch"] for cursor in replies)
        yield Moment(session, times[0]) if filled else None


def _first(database: Database[Document], dataset: Dataset, session: ClientSession) -> Document:
    find = {"find": str(dataset.collection), "limit": 1, "singleBatch": True, "projection": {"_id": 1}}
    cursor: Document = database.command(find, session=session)["cursor"]
    return cursor


def batches(database: Database[Document], dataset: Dataset, at: Moment) -> Iterator[pa.Table]:
    """All documents of a dataset's collection at that moment, batch by batch."""
    collection = database[str(dataset.collection)]
    everything = collection.find_raw_batches(
        {}, projection(dataset), batch_size=BATCH, session=at.session, comment=WHOLE_COLLECTION
    )
    for batch in everything:
        # Its type says documents, but raw batches are bytes.
        yield table(dataset, cast(bytes, batch), collection.codec_options)
