"""Writes what was decided about batches, in one transaction.

The fence is checked in the transaction that stores the records: it writes to each rack's document under the condition
that the rack is still as the decision saw it. Whoever comes second (a duplicate delivered at the same time, a claim or
a settlement in between) makes the transaction fail; what failed is then read and decided again.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from pymongo import AsyncMongoClient, DeleteOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from ingest.sync import rules
from ingest.sync.writes import Writes
from ingest.transactions import transact
from stockverify.clients import Document
from stockverify.vocabulary import Collection

_DUPLICATE_KEY = 11000
_AGAIN = ("TransientTransactionError", "UnknownTransactionCommitResult")


class Overtaken(Exception):
    """Somebody else changed what a decision was based on."""


class Decided(NamedTuple):
    """What one batch writes, the racks as its decision saw them, and its receipt."""

    writes: Writes
    racks: dict[str, Document]
    receipt: Document


class Writer:
    """Writes batches, all of them or none."""

    def __init__(self, client: AsyncMongoClient[Document], database: AsyncDatabase[Document]) -> None:
        self._client = client
        self._records, self._history = database[Collection.RECORDS], database[Collection.RECORD_HISTORY]
        self._sessions, self._racks = database[Collection.SESSIONS], database[Collection.RACKS]
        self._serials, self._conflicts = database[Collection.SERIALS], database[Collection.CONFLICTS]
        self._receipts = database[Collection.BATCHES]

    async def written(self, batches: Sequence[Decided]) -> bool:
        """False, and nothing is written, when somebody else was faster for one of them."""
        try:
            await transact(self._client, lambda transaction: self.write(batches, transaction))
        except (Overtaken, DuplicateKeyError):
            return False
        except PyMongoError as error:
            if any(error.has_error_label(label) for label in _AGAIN) or _is_duplicate(error):
                return False
            raise
        return True

    async def write(self, batches: Sequence[Decided], transaction: AsyncClientSession) -> None:
        """Ids that two batches both write are an error of MongoDB here, never silently one document."""
        every = [batch.writes for batch in batches]
        if racks := [batch.racks[rack_id] for batch in batches for rack_id in batch.writes.racks]:
            # In the same order everywhere: of two that want the same racks, the one that has the first gets all.
            racks.sort(key=itemgetter("_id"))
            await self._all(self._racks, [_fence(rack) for rack in racks], transaction)
        inserts = (
            (self._sessions, [made for writes in every for made in writes.sessions.values()]),
            (self._records, [made for writes in every for made in writes.inserts.values()]),
            (self._serials, [made for writes in every for made in writes.new_serials.values()]),
            (self._conflicts, [made for writes in every for made in writes.conflicts.values()]),
            (self._receipts, [batch.receipt for batch in batches]),
        )
        for collection, made in inserts:
            if made:
                await collection.insert_many(made, session=transaction)
        if replaced := [each for writes in every for each in _replacements(writes)]:
            await self._all(self._records, replaced, transaction)
        if kept := [each for writes in every for each in _versions(writes)]:
            await self._history.bulk_write(kept, session=transaction)
        if moved := [each for writes in every for each in _moves(writes)]:
            await self._all(self._serials, moved, transaction)

    async def _all(self, collection: Any, operations: list[Any], transaction: AsyncClientSession) -> None:
        """Every operation must find its document as the decision saw it."""
        outcome = await collection.bulk_write(operations, session=transaction)
        if outcome.matched_count + outcome.deleted_count != len(operations):
            raise Overtaken


def _fence(rack: Document) -> UpdateOne:
    """`batches` rises with every write to the rack, so that nobody decides on what somebody else has changed."""
    seen = {"_id": rack["_id"], "fence": rack["fence"], "status": rack["status"], "batches": rack.get("batches")}
    return UpdateOne(seen, {"$set": {"status": rules.after_record(rack["status"])}, "$inc": {"batches": 1}})


def _replacements(writes: Writes) -> Iterable[ReplaceOne[Document]]:
    return (ReplaceOne(_as_seen(writes.replaced[id_]), new) for id_, new in writes.updates.items())


def _versions(writes: Writes) -> Iterable[UpdateOne]:
    return (UpdateOne({"_id": id_}, {"$setOnInsert": old}, upsert=True) for id_, old in writes.history.items())


def _moves(writes: Writes) -> Iterable[ReplaceOne[Document] | DeleteOne]:
    for serial, (owner, claim) in writes.moved_serials.items():
        yield ReplaceOne({"_id": serial, "client_record_id": owner}, claim)
    for serial, owner in writes.freed_serials.items():
        yield DeleteOne({"_id": serial, "client_record_id": owner})


def _as_seen(stored: Document) -> Document:
    names = ("_id", "digest", "updated_at", "revision")
    return {name: stored[name] for name in names} | {"settled": stored.get("settled")}


def _is_duplicate(error: PyMongoError) -> bool:
    problems = error.details.get("writeErrors", []) if isinstance(error, BulkWriteError) else []
    return any(problem.get("code") == _DUPLICATE_KEY for problem in problems)
