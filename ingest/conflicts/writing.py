"""Writes what a settlement changes among records, in the transaction of the settlement."""

from typing import Any

from pymongo import DeleteOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from ingest.sync.writes import Writes
from stockverify.clients import Document
from stockverify.vocabulary import Collection

_Operation = ReplaceOne[Document] | DeleteOne | UpdateOne


class PlanWriter:
    """Writes to the documents that the transaction has read; whoever changed one since makes it run again."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._records, self._history = database[Collection.RECORDS], database[Collection.RECORD_HISTORY]
        self._serials, self._racks = database[Collection.SERIALS], database[Collection.RACKS]

    async def write(self, writes: Writes, transaction: AsyncClientSession) -> None:
        """Write a plan. `batches` of each rack rises, so that a batch on its way to the rack is decided again."""
        for rack_id in sorted(writes.racks):
            await self._racks.update_one({"_id": rack_id}, {"$inc": {"batches": 1}}, session=transaction)
        records: list[_Operation] = [_put(each) for each in (*writes.inserts.values(), *writes.updates.values())]
        history: list[_Operation] = [
            UpdateOne({"_id": id_}, {"$setOnInsert": old}, upsert=True) for id_, old in writes.history.items()
        ]
        claims = [*writes.new_serials.values(), *(claim for _, claim in writes.moved_serials.values())]
        serials: list[_Operation] = [_put(claim) for claim in claims]
        serials += [DeleteOne({"_id": serial}) for serial in writes.freed_serials]
        for collection, operations in ((self._records, records), (self._history, history), (self._serials, serials)):
            await _all(collection, operations, transaction)


def _put(document: Document) -> ReplaceOne[Document]:
    return ReplaceOne({"_id": document["_id"]}, document, upsert=True)


async def _all(collection: Any, operations: list[_Operation], transaction: AsyncClientSession) -> None:
    if operations:
        await collection.bulk_write(operations, session=transaction)
