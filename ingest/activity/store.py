"""The audit log in MongoDB: entries are inserted with what they tell of, and sealed one after the other."""

import time
import uuid
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError

from ingest.activity import rules
from ingest.auth.rules import Caller
from stockverify import activity
from stockverify.activity import EMPTY, Head
from stockverify.clients import Document
from stockverify.vocabulary import Action, Collection
from stockverify.wire.activity import ActivityEntry, ChainCheck

_SEALED_AT_ONCE = 500
_CHECKED_AT_ONCE = 500  # hashes of so many take some milliseconds, in which the process does nothing else
_CHECK_SECONDS = 1.0
_MOST_PROBLEMS = 20


class ActivityStore:
    """Adds to the audit log, seals it and reads it. There is no way to change or delete an entry."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._log = database[Collection.ACTIVITY_LOGS]

    async def note(
        self,
        action: Action,
        caller: Caller,
        subject: str,
        now: datetime,
        transaction: AsyncClientSession | None = None,
        **details: Any,
    ) -> None:
        """Add an entry, in the transaction of what it tells of if there is one."""
        entry = rules.entry(f"a-{uuid.uuid4().hex}", action, caller, subject, now, **details)
        await self._log.insert_one(entry, session=transaction)

    async def entries(
        self, action: str | None, username: str | None, subject: str | None, before: int | None, limit: int
    ) -> list[ActivityEntry]:
        """Sealed entries, newest first; `before` is the sequence number to go on from."""
        asked = {"action": action, "username": username, "subject": subject}
        wanted: Document = {name: value for name, value in asked.items() if value is not None}
        wanted["sequence"] = {"$gt": 0} if before is None else {"$gt": 0, "$lt": before}
        found = await self._log.find(wanted).sort("sequence", -1).limit(limit).to_list()
        return [rules.shown(entry) for entry in found]

    async def chain(self, after: int, seconds: float = _CHECK_SECONDS) -> ChainCheck:
        """Compute the hashes of entries anew, in order, for so long; some are always looked at. Raises NoSuchEntry."""
        end, head = (await self.head()).sequence, await self._place(after)
        wrong: list[str] = []
        deadline = time.monotonic() + seconds
        while chunk := await self._following(head):
            wrong += activity.problems(chunk, start=head)
            head = Head(chunk[-1]["sequence"], chunk[-1]["hash"])
            if time.monotonic() > deadline or len(wrong) >= _MOST_PROBLEMS:
                break
        return ChainCheck(
            holds=not wrong,
            first=min(after + 1, head.sequence),
            last=head.sequence,
            end=max(end, head.sequence),
            problems=wrong[:_MOST_PROBLEMS],
        )

    async def seal(self) -> int:
        """Seal the oldest unsealed entries; how many. Safe in any number of processes: the place in the chain is
        unique, so that of two that seal at once one stops, and whoever goes on computes the same hashes."""
        head = await self.head()
        waiting = self._log.find({"sequence": None}).sort([("sequence", 1), ("at", 1), ("_id", 1)])
        seals = []
        for entry in await waiting.limit(_SEALED_AT_ONCE).to_list():
            sealed = activity.seal(entry, head)
            seals.append(UpdateOne({"_id": entry["_id"], "sequence": None}, {"$set": sealed}))
            head = Head(sealed["sequence"], sealed["hash"])
        try:
            return (await self._log.bulk_write(seals, ordered=True)).modified_count if seals else 0
        except BulkWriteError as error:
            return int(error.details["nModified"])

    async def head(self) -> Head:
        """The end of the chain."""
        last = await self._log.find_one({"sequence": {"$gt": 0}}, sort=[("sequence", -1)])
        return Head(last["sequence"], last["hash"]) if last else EMPTY

    async def _place(self, sequence: int) -> Head:
        if not sequence:
            return EMPTY
        found = await self._log.find_one({"sequence": sequence}, {"hash": 1})
        if found is None:
            raise rules.NoSuchEntry(sequence=sequence)
        return Head(sequence, found["hash"])

    async def _following(self, head: Head) -> list[Document]:
        wanted = {"sequence": {"$gt": head.sequence}}
        return await self._log.find(wanted).sort("sequence", 1).limit(_CHECKED_AT_ONCE).to_list()
