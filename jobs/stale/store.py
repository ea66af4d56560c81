"""Silent racks and sessions in MongoDB. Every write asks for what was seen: a counter who comes back meanwhile wins."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pymongo
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from jobs.stale.rules import SWEPT_SESSIONS
from stockverify import activity
from stockverify.clients import Document
from stockverify.vocabulary import (
    OCCUPIED_RACKS,
    Action,
    Collection,
    RackState,
    SessionStatus,
)

_AT_ONCE = 500
_PATIENCE_SECONDS = 5
_FREE = {"status": RackState.AVAILABLE.value, "claimed_by": None, "session_id": None}
_AS_SEEN_OF_RACK = ("_id", "fence", "session_id", "status", "updated_at", "batches")
_AS_SEEN_OF_SESSION = ("_id", "status", "last_heartbeat")

Pair = tuple[Document, Document | None]


class CameBack(Exception):
    """Somebody is alive after all, or something else has changed since it was read."""


class StaleStore:
    """Finds what has long been silent, and ends it."""

    def __init__(self, database: Database[Document]) -> None:
        self._client, self._log = database.client, database[Collection.ACTIVITY_LOGS]
        self._racks, self._sessions = database[Collection.RACKS], database[Collection.SESSIONS]
        self._records = database[Collection.RECORDS]

    def occupied(self, before: datetime) -> Iterator[list[Pair]]:
        """Racks that somebody is said to hold and that have not changed since, with their sessions."""
        wanted = {"floor": {"$gte": ""}, "status": {"$in": _values(OCCUPIED_RACKS)}, "updated_at": {"$lt": before}}
        for racks in _chunks(self._racks.find(wanted, batch_size=_AT_ONCE)):
            ids = [rack["session_id"] for rack in racks]
            sessions = {each["_id"]: each for each in self._sessions.find({"_id": {"$in": ids}})}
            yield [(rack, sessions.get(rack["session_id"])) for rack in racks]

    def silent(self, before: datetime) -> Iterator[list[Document]]:
        """Sessions that are not finished, began before and have sent no heartbeat since, and hold no rack."""
        wanted: Document = {"status": {"$in": _values(SWEPT_SESSIONS)}, "started_at": {"$lt": before}}
        wanted["$or"] = [{"last_heartbeat": None}, {"last_heartbeat": {"$lt": before}}]
        for sessions in _chunks(self._sessions.find(wanted, batch_size=_AT_ONCE)):
            ids = [session["rack_id"] for session in sessions if session["rack_id"] is not None]
            racks = self._racks.find({"_id": {"$in": ids}}, {"session_id": 1, "status": 1})
            holders = {rack["session_id"] for rack in racks if rack["status"] in OCCUPIED_RACKS}
            yield [session for session in sessions if session["_id"] not in holders]

    def last_record(self, session_id: str) -> datetime | None:
        """When something of a session last arrived: devices that send no heartbeats are alive, too."""
        group = {"_id": None, "last": {"$max": "$received_at"}}
        found = self._records.aggregate([{"$match": {"session_id": session_id}}, {"$group": group}])
        last: datetime | None = next(found, {"last": None})["last"]
        return last

    def release(self, rack: Document, session: Document | None, why: str, run_id: str, now: datetime) -> None:
        """Give a rack back as its counter would, with the session that holds it and the audit log. The fence stays:
        what the counter still sends is accepted while nobody else has claimed the rack. Raises CameBack."""
        details = {"session_id": rack["session_id"], "holder": rack["claimed_by"], "fence": rack["fence"]}
        entry = _entry(Action.RACK_SWEPT, rack["_id"], run_id, now, why=why, **details)

        def work(transaction: ClientSession) -> None:
            seen = {name: rack.get(name) for name in _AS_SEEN_OF_RACK}
            free = {"$set": _FREE | {"updated_at": now}}
            if not self._racks.update_one(seen, free, session=transaction).matched_count:
                raise CameBack
            if session is not None:
                self._close(session, now, transaction)
            self._log.insert_one(entry, session=transaction)

        self._transact(work)

    def close(self, session: Document, why: str, run_id: str, now: datetime) -> None:
        """End a session that holds no rack. Raises CameBack."""
        details = {"holder": session["user_id"], "rack_id": session["rack_id"]}
        entry = _entry(Action.SESSION_SWEPT, session["_id"], run_id, now, why=why, **details)

        def work(transaction: ClientSession) -> None:
            self._close(session, now, transaction)
            self._log.insert_one(entry, session=transaction)

        self._transact(work)

    def swept(self, run_id: str) -> list[Document]:
        """What the audit log says that a run has swept, also before it was taken over."""
        actions = [Action.RACK_SWEPT.value, Action.SESSION_SWEPT.value]
        found = self._log.find({"action": {"$in": actions}, "details.run_id": run_id})
        return sorted(found, key=lambda entry: (entry["action"], entry["subject"]))

    def _close(self, session: Document, now: datetime, transaction: ClientSession) -> None:
        seen = {name: session[name] for name in _AS_SEEN_OF_SESSION}
        closed = {"$set": {"status": SessionStatus.CLOSED.value, "completed_at": now}}
        if not self._sessions.update_one(seen, closed, session=transaction).matched_count:
            raise CameBack

    def _transact(self, work: Any) -> None:
        with pymongo.timeout(_PATIENCE_SECONDS), self._client.start_session() as session:
            durable = WriteConcern(w="majority", j=True)
            session.with_transaction(work, read_concern=ReadConcern("snapshot"), write_concern=durable)


def _entry(action: Action, subject: str, run_id: str, now: datetime, **details: Any) -> Document:
    """Its id says what was swept by which run, so that it is told once."""
    mark = hashlib.sha256(f"{run_id}\n{action}\n{subject}".encode()).hexdigest()[:32]
    return activity.unsealed(f"a-{mark}", action, activity.WORKER, subject, now, details | {"run_id": run_id})


def _values(states: Sequence[Any]) -> list[str]:
    return [state.value for state in states]


def _chunks(found: Any) -> Iterator[list[Document]]:
    chunk: list[Document] = []
    for document in found:
        chunk.append(document)
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
