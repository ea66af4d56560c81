"""Takes a snapshot: MongoDB at one moment, written dataset by dataset, the derived positions last."""

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime

import pyarrow as pa
from pymongo.database import Database

from analytics.extract import moment, positions
from analytics.lake.ids import new_snapshot_id
from analytics.lake.manifest import Freeze, freeze_of
from analytics.lake.publish import Head, Published, publish
from analytics.lake.store import Lake
from stockverify.clients import Document
from stockverify.datasets import ITEMS, POSITIONS, RECORDS, SESSIONS
from stockverify.errors import Refused

COLLECTED = (RECORDS, SESSIONS, ITEMS)


class NothingToFreeze(Refused):
    """There is no item, session or record yet, so there is nothing to take a snapshot of.
    Import a stock list with `stockverify import FILE` first."""


def _never() -> bool:
    return False


class Abandoned(Refused):
    """The snapshot was given up because the worker stops; nothing of it is visible."""


def materialise(
    lake: Lake, database: Database[Document], now: datetime, name: str = "", stopping: Callable[[], bool] = _never
) -> Freeze:
    """Publish one snapshot of everything. Raises NothingToFreeze; readers see the snapshot whole or not at all.

    `stopping` is asked before each batch; once it says true, Abandoned is raised.

    Positions come last and name the others by checksum: without them a snapshot does not exist for readers, so one
    that is interrupted anywhere stays invisible and is swept away later. Memory holds one batch at a time.
    """
    with moment.moment(database, COLLECTED) as at:
        if at is None:
            raise NothingToFreeze()
        snapshot_id = new_snapshot_id(now, secrets.token_hex(4))
        head = Head(snapshot_id=snapshot_id, name=name, as_of=at.as_of, created_at=now)
        done = {
            dataset.name: publish(
                lake.root,
                dataset,
                head,
                _until(stopping, moment.batches(database, dataset, at)),
                query={"collection": str(dataset.collection), "cluster_time": _clock(at)},
                sources={},
            )
            for dataset in COLLECTED
        }
    return freeze_of(complete(lake, head, done).manifest)


def complete(lake: Lake, head: Head, done: dict[str, Published]) -> Published:
    """Derive and publish the positions, which makes the snapshot visible."""
    return publish(
        lake.root,
        POSITIONS,
        head,
        positions.batches(done[RECORDS.name].paths, done[ITEMS.name].paths),
        query={"derived": "book lines beside the counts of each rack's latest round"},
        sources={name: published.sha256 for name, published in done.items()},
    )


def _until(stopping: Callable[[], bool], batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    for batch in batches:
        if stopping():
            raise Abandoned()
        yield batch


def _clock(at: moment.Moment) -> str:
    return f"{at.cluster_time.time}.{at.cluster_time.inc}"
