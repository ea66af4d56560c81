"""Changes of racks and of their sessions in MongoDB, each in one transaction with its entry in the audit log."""

from datetime import datetime
from typing import Any, NamedTuple

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.racks import rules
from ingest.sessions.rules import new_session
from ingest.transactions import transact_until_done
from stockverify.clients import Document
from stockverify.vocabulary import Action, Collection, RackState, SessionStatus


class Noted(NamedTuple):
    """What the audit log keeps of a change."""

    action: Action
    caller: Caller
    details: dict[str, Any]


class RackWrites:
    """Writes that keep a rack, its session and the audit log together."""

    def __init__(
        self, client: AsyncMongoClient[Document], database: AsyncDatabase[Document], activity: ActivityStore
    ) -> None:
        self._client, self._activity = client, activity
        self._racks, self._sessions = database[Collection.RACKS], database[Collection.SESSIONS]

    async def grant(self, rack_id: str, session_id: str, noted: Noted, now: datetime) -> Document:
        """Raise the fence, close the session before, open the new one: all or nothing. The rack as it is then."""
        held = {
            "status": RackState.CLAIMED.value,
            "claimed_by": noted.caller.user_id,
            "session_id": session_id,
            "updated_at": now,
        }

        async def work(transaction: AsyncClientSession) -> Document:
            before = await self._racks.find_one_and_update(
                {"_id": rack_id, "status": {"$ne": RackState.COMPLETED.value}},
                {"$set": held, "$inc": {"fence": 1}},
                session=transaction,
            )
            if before is None:
                raise rules.RackCompleted(rack_id=rack_id)
            after: Document = before | held | {"fence": before["fence"] + 1}
            await self._close(before["session_id"], now, transaction)
            opened = new_session(session_id, noted.caller, now, rack=after)
            await self._sessions.insert_one(opened, session=transaction)
            told = {"session_id": session_id, "fence": after["fence"], "round": after["round"]}
            await self._note(rack_id, noted, told, now, transaction)
            return after

        return await transact_until_done(self._client, work)

    async def change(
        self, rack: Document, change: Document, session: SessionStatus, now: datetime, noted: Noted | None = None
    ) -> None:
        """Change a rack and its session together, if both are still as they were read. Raises RackMoved."""
        seen = rules.as_seen(rack)
        finished = {"completed_at": now} if session in rules.FINISHED else {}
        unfinished = {"_id": rack["session_id"], "status": {"$nin": [state.value for state in rules.FINISHED]}}

        async def work(transaction: AsyncClientSession) -> None:
            changed = await self._racks.update_one(seen, {"$set": change | {"updated_at": now}}, session=transaction)
            if not changed.matched_count:
                raise rules.RackMoved(rack_id=rack["_id"])
            status = {"status": session.value, **finished}
            await self._sessions.update_one(unfinished, {"$set": status}, session=transaction)
            if noted is not None:
                await self._note(rack["_id"], noted, {"session_id": rack["session_id"]}, now, transaction)

        await transact_until_done(self._client, work)

    async def open_next_round(self, rack_id: str, noted: Noted, now: datetime) -> Document | None:
        """Open a completed rack again; the rack as it was, or None when it is not completed."""
        asked = {
            "status": RackState.REVERIFY_REQUESTED.value,
            "updated_at": now,
            "claimed_by": None,
            "session_id": None,
        }

        async def work(transaction: AsyncClientSession) -> Document | None:
            done = {"_id": rack_id, "status": RackState.COMPLETED.value}
            change = {"$set": asked, "$inc": {"round": 1}}
            before = await self._racks.find_one_and_update(done, change, session=transaction)
            if before is not None:
                await self._note(rack_id, noted, {"round": before["round"] + 1}, now, transaction)
            return before

        return await transact_until_done(self._client, work)

    async def _close(self, session_id: str | None, now: datetime, transaction: AsyncClientSession) -> None:
        unfinished = {"$nin": [state.value for state in rules.FINISHED]}
        closed = {"status": SessionStatus.CLOSED.value, "completed_at": now}
        await self._sessions.update_one(
            {"_id": session_id, "status": unfinished}, {"$set": closed}, session=transaction
        )

    async def _note(
        self, rack_id: str, noted: Noted, told: dict[str, Any], now: datetime, transaction: AsyncClientSession
    ) -> None:
        details = told | noted.details
        await self._activity.note(noted.action, noted.caller, rack_id, now, transaction, **details)
