"""Deliveries in MongoDB, which the worker writes, and letters in the data directory."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.deliveries import rules
from ingest.transactions import transact_until_done
from stockverify import letters
from stockverify.clients import Document
from stockverify.letters import LetterGone
from stockverify.vocabulary import Action, Collection, DeliveryKind, DeliveryState
from stockverify.wire.deliveries import Deliveries, DeliveryInFull
from stockverify.wire.reports import Pagination

_DAY = timedelta(days=1)


class DeliveryStore:
    """Reads deliveries and letters, and lets people send again or cancel."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: AsyncDatabase[Document],
        activity: ActivityStore,
        mails: Path,
    ) -> None:
        self._client, self._activity, self._mails = client, activity, mails
        self._rows = database[Collection.DELIVERIES]

    async def listed(
        self,
        run: str | None,
        schedule: str | None,
        state: DeliveryState | None,
        kind: DeliveryKind | None,
        skip: int,
        limit: int,
    ) -> Deliveries:
        """Mails, newest first."""
        wanted = rules.wanted(run, schedule, state, kind)
        # MongoDB counts everything by a scan unless it is told of an index.
        served: dict[str, Any] = {} if wanted else {"hint": "created_at_-1"}
        total = await self._rows.count_documents(wanted, **served)
        found = await self._rows.find(wanted).sort("created_at", -1).skip(skip).limit(limit).to_list()
        has_more = skip + len(found) < total
        pagination = Pagination(skip=skip, limit=limit, total=total, has_more=has_more)
        return Deliveries(deliveries=[rules.shown(row) for row in found], pagination=pagination)

    async def one(self, delivery_id: str) -> DeliveryInFull:
        """One mail. Raises DeliveryUnknown."""
        return await self._in_full(await self._row(delivery_id))

    async def html(self, letter_id: str) -> str:
        """A letter to look at. Raises LetterGone or LetterDamaged."""
        return await asyncio.to_thread(letters.to_look_at, self._mails, letter_id)

    async def text(self, letter_id: str) -> str:
        """The same in plain text."""
        letter = await asyncio.to_thread(letters.words, self._mails, letter_id)
        return letter.text.replace(letters.UNSUBSCRIBE, "(a link that stops these mails)")

    async def file(self, delivery_id: str, name: str) -> bytes:
        """A file that is attached, once it was found to be what was written. Raises FileUnknown, LetterGone or
        LetterDamaged."""
        return await asyncio.to_thread(self._file, await self._row(delivery_id), name)

    def _file(self, row: Document, name: str) -> bytes:
        letter = letters.words(self._mails, row["letter"])
        found = next((each for each in letter.attachments if each.name == name), None)
        if found is None:
            raise rules.FileUnknown(delivery_id=row["_id"], name=name[:80])
        return letters.content(self._mails, row["letter"], found)

    async def letter_of(self, delivery_id: str) -> str:
        """The id of a mail's letter. Raises DeliveryUnknown."""
        return str((await self._row(delivery_id))["letter"])

    async def retry(self, delivery_id: str, caller: Caller, now: datetime) -> DeliveryInFull:
        """Send one again that was given up. Raises what is against it."""
        row = await self._row(delivery_id)
        rules.may_change(row, caller)
        change = rules.again(row, caller, now)
        if not await self._kept(row):
            raise LetterGone()
        changed = await self._changed(row, change, Action.DELIVERY_RETRIED, caller, now)
        return await (self._in_full(changed) if changed else self.retry(delivery_id, caller, now))

    async def cancel(self, delivery_id: str, caller: Caller, now: datetime) -> DeliveryInFull:
        """Do not send one that waits. Raises what is against it."""
        row = await self._row(delivery_id)
        rules.may_change(row, caller)
        if row["state"] == DeliveryState.CANCELLED:
            return await self._in_full(row)
        if row["state"] != DeliveryState.QUEUED:
            raise rules.NotToBeCancelled(delivery_id=delivery_id, state=row["state"])
        change = rules.cancelled(f"{caller.username} cancelled it.", now)
        changed = await self._changed(row, change, Action.DELIVERY_CANCELLED, caller, now)
        return await (self._in_full(changed) if changed else self.cancel(delivery_id, caller, now))

    async def waiting(self) -> int:
        """How many mails wait to be sent, or sent again."""
        queued = {"state": {"$in": [DeliveryState.QUEUED.value, DeliveryState.SENDING.value]}}
        unknown = {"state": DeliveryState.UNKNOWN.value, "next_attempt_at": {"$ne": None}}
        return await self._rows.count_documents(queued) + await self._rows.count_documents(unknown)

    async def of_last_day(self, now: datetime) -> dict[str, int]:
        """How many mails of the last 24 hours are in which state."""
        since = {"created_at": {"$gte": now - _DAY}}
        counts = [self._rows.count_documents({"state": state.value} | since) for state in DeliveryState]
        return dict(zip(map(str, DeliveryState), await asyncio.gather(*counts), strict=True))

    async def _changed(
        self, row: Document, change: Document, action: Action, caller: Caller, now: datetime
    ) -> Document | None:
        """None when the mail has moved on since it was read."""
        seen = {"_id": row["_id"], "state": row["state"], "attempts": row["attempts"]}

        async def write(transaction: AsyncClientSession) -> Document | None:
            after: Document | None = await self._rows.find_one_and_update(
                seen, change, return_document=ReturnDocument.AFTER, session=transaction
            )
            if after is not None:
                await self._activity.note(action, caller, row["_id"], now, transaction, recipient=row["recipient"])
            return after

        return await transact_until_done(self._client, write)

    async def _in_full(self, row: Document) -> DeliveryInFull:
        return rules.in_full(row, await self._kept(row))

    async def _kept(self, row: Document) -> bool:
        return await asyncio.to_thread((letters.folder(self._mails, row["letter"]) / letters.WORDS).is_file)

    async def _row(self, delivery_id: str) -> Document:
        row = await self._rows.find_one({"_id": delivery_id})
        if row is None:
            raise rules.DeliveryUnknown(delivery_id=delivery_id[:80])
        return row
