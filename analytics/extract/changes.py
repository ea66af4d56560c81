"""Which documents have changed since an earlier moment, as MongoDB's change streams tell it.

They follow the oplog, which is in the order of commits: a transaction that was open over the earlier moment is in it
after that moment, with its commit. Documents that changed twice are named once.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from time import monotonic
from typing import Any

from bson.timestamp import Timestamp
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import OperationFailure

from stockverify.clients import Document
from stockverify.vocabulary import Collection

_AT_ONCE = 10_000
_WAIT_MS = 1000
_PATIENCE_SECONDS = 60.0

Ids = dict[str, list[Any]]


class WholeNeeded(Exception):
    """Why a snapshot cannot build on an earlier one and must read everything."""


def mark(database: Database[Document], mark_id: str, now: datetime) -> None:
    """Leave a mark in the history; it also shows later that this database has lived through this moment."""
    database[Collection.MARKS].insert_one({"_id": mark_id, "at": now})


def marked(database: Database[Document], mark_id: str) -> bool:
    """Whether that mark is there. A database that was set back to before it has lost it."""
    return database[Collection.MARKS].find_one({"_id": mark_id}, {"_id": 1}) is not None


def changed(database: Database[Document], since: Timestamp, until: str, collections: Sequence[str], most: int) -> Ids:
    """The ids of the documents of each collection that were written or deleted after `since`, up to the mark `until`.

    Some may have changed only after the moment of the snapshot, which does no harm: they are read as they were in it.
    Raises WholeNeeded when MongoDB's history does not reach back so far, or when more than `most` have changed.
    """
    found: dict[str, dict[Any, None]] = {name: {} for name in collections}
    try:
        for events in _events(database, since, collections):
            for event in events:
                _take(event, found)
            if sum(map(len, found.values())) > most:
                raise WholeNeeded(f"more than {most:,} documents have changed since")
            if any(_is_mark(event, until) for event in events):
                return {name: list(ids) for name, ids in found.items()}
    except OperationFailure as error:
        name = (error.details or {}).get("codeName", error.code)
        raise WholeNeeded(f"MongoDB's history does not reach back to it ({name})") from None
    raise WholeNeeded(f"MongoDB did not tell its history within {_PATIENCE_SECONDS:.0f} seconds")


def _take(event: Document, found: dict[str, dict[Any, None]]) -> None:
    """Note the document of an event; what concerns a whole collection names none, and gives it another incarnation."""
    key = event.get("documentKey", {}).get("_id")
    if key is not None and (ids := found.get(event["ns"]["coll"])) is not None:
        ids[key] = None


def _is_mark(event: Document, mark_id: str) -> bool:
    return bool(event["ns"]["coll"] == Collection.MARKS) and event.get("documentKey", {}).get("_id") == mark_id


def _events(database: Database[Document], since: Timestamp, collections: Sequence[str]) -> Iterator[list[Document]]:
    """Events batch by batch, with empty batches while there are none, until nothing has come for too long."""
    stages = [
        {"$changeStream": {"startAtOperationTime": _just_after(since)}},
        {"$match": {"ns.coll": {"$in": [*collections, str(Collection.MARKS)]}}},
        {"$project": {"ns.coll": 1, "documentKey._id": 1}},
    ]
    with database.client.start_session(causal_consistency=False) as session:
        opened = {"aggregate": 1, "pipeline": stages, "cursor": {"batchSize": _AT_ONCE}}
        cursor = database.command(opened | {"readConcern": {"level": "majority"}}, session=session)["cursor"]
        try:
            yield cursor["firstBatch"]
            yield from _more(database, session, cursor["id"])
        finally:
            database.command({"killCursors": "$cmd.aggregate", "cursors": [cursor["id"]]}, session=session)


def _just_after(time: Timestamp) -> Timestamp:
    """What happened at that very time is in the snapshot of it."""
    return Timestamp(time.time, time.inc + 1)


def _more(database: Database[Document], session: ClientSession, cursor_id: Any) -> Iterator[list[Document]]:
    heard = monotonic()
    more = {"getMore": cursor_id, "collection": "$cmd.aggregate", "batchSize": _AT_ONCE, "maxTimeMS": _WAIT_MS}
    while monotonic() - heard < _PATIENCE_SECONDS:
        batch: list[Document] = database.command(more, session=session)["cursor"]["nextBatch"]
        heard = monotonic() if batch else heard
        yield batch
