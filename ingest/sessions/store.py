"""Sessions in MongoDB, their heartbeats, and the figures derived from their records."""

import uuid
from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.write_concern import WriteConcern

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.leases.store import LeaseStore
from ingest.live.feed import Feed
from ingest.racks.rules import FINISHED, OCCUPIED
from ingest.racks.store import RackStore
from ingest.sessions import rules
from ingest.sessions.rules import Counts
from ingest.transactions import transact_until_done
from stockverify.clients import Document
from stockverify.errors import Unavailable
from stockverify.settings import Settings
from stockverify.vocabulary import (
    Action,
    Collection,
    EventType,
    RackState,
    RecordStatus,
    SessionStatus,
    rack_channel,
    session_channel,
)
from stockverify.wire.sessions import (
    DeviceQueue,
    Heartbeat,
    OpenSession,
    Presence,
    Session,
    SessionCompleted,
    SessionPage,
    SessionStats,
    SessionStatusChanged,
    SyncHeartbeat,
)


class SessionStore:
    """Reads and changes sessions."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: AsyncDatabase[Document],
        leases: LeaseStore,
        racks: RackStore,
        activity: ActivityStore,
        feed: Feed,
        settings: Settings,
    ) -> None:
        self._client, self._leases, self._settings, self._rack_store = client, leases, settings, racks
        self._activity, self._feed = activity, feed
        self._sessions, self._racks = database[Collection.SESSIONS], database[Collection.RACKS]
        self._records = database[Collection.RECORDS]
        # When a device was last heard from need not survive a power cut: a heartbeat does not wait for the journal.
        self._heard = self._sessions.with_options(write_concern=WriteConcern(w=1))

    async def active(self, caller: Caller, user_id: str | None, rack_id: str | None) -> list[Session]:
        """Sessions that are not finished, newest first."""
        wanted = rules.scope(caller, user_id) | {"status": {"$in": [status.value for status in rules.UNFINISHED]}}
        wanted |= {"rack_id": rack_id} if rack_id else {}
        return await self._find(wanted, limit=1000)

    async def history(self, caller: Caller, limit: int) -> list[Session]:
        """The caller's own sessions, newest first."""
        return await self._find({"user_id": caller.user_id}, limit=limit)

    async def page(
        self, caller: Caller, page: int, page_size: int, status: str | None, user_id: str | None
    ) -> SessionPage:
        """One page of sessions, newest first."""
        wanted = rules.scope(caller, user_id)
        wanted |= {"status": rules.parse_status(status).value} if status else {}
        total = await self._sessions.count_documents(wanted or {"started_at": {"$exists": True}})
        items = await self._find(wanted, limit=page_size, skip=(page - 1) * page_size)
        return SessionPage(items=items, total=total, page=page, page_size=page_size)

    async def one(self, session_id: str, caller: Caller) -> Session:
        """One session. Raises SessionNotFound or NotYourSession."""
        session = rules.visible(await self._sessions.find_one({"_id": session_id}), session_id, caller)
        return rules.describe(session, (await self._counts([session_id])).get(session_id, Counts()))

    async def stats(self, session_id: str, caller: Caller, now: datetime) -> SessionStats:
        """Progress of one session. Raises SessionNotFound or NotYourSession."""
        session = rules.visible(await self._sessions.find_one({"_id": session_id}), session_id, caller)
        return rules.stats(session, (await self._counts([session_id])).get(session_id, Counts()), now)

    async def presence(self, caller: Caller) -> list[Presence]:
        """Who is at work, where, and who has not been heard from; staff see themselves."""
        unfinished = {"status": {"$in": [status.value for status in rules.UNFINISHED]}}
        wanted = rules.scope(caller, None) | unfinished
        sessions = await self._sessions.find(wanted).sort("started_at", -1).limit(1000).to_list()
        try:
            alive = await self._leases.alive([session["_id"] for session in sessions])
        except Unavailable:
            return [rules.presence(session, None) for session in sessions]
        return [rules.presence(session, session["_id"] in alive) for session in sessions]

    async def open(self, request: OpenSession, caller: Caller, now: datetime) -> Session:
        """Open a session without a rack."""
        session = rules.opened(f"s-{uuid.uuid4().hex}", caller, request, now)
        await self._sessions.insert_one(session)
        return rules.describe(session, Counts())

    async def heartbeat(
        self, session_id: str, caller: Caller, now: datetime, queue: DeviceQueue | None = None
    ) -> Heartbeat:
        """Renew the lease, or take a free rack back while nobody else has claimed it since."""
        mine = {"_id": session_id, "user_id": caller.user_id}
        session = await self._heard.find_one_and_update(mine, {"$set": rules.heard_from(now, queue)})
        if session is None:
            session = rules.own(await self._sessions.find_one({"_id": session_id}), session_id, caller)
        seconds = self._lease_seconds(session)
        renewed = await self._renew(session, seconds)
        await self._leases.mark_present(caller, session_id, session["rack_id"], now, self._settings.heartbeat_ttl)
        return Heartbeat(
            id=session_id,
            session_id=session_id,
            rack_lock_renewed=renewed,
            user_presence_updated=True,
            lock_ttl_remaining=seconds if renewed else 0,
            message=rules.heartbeat_message(session, renewed),
        )

    async def sync_heartbeat(self, session_id: str, caller: Caller, now: datetime) -> SyncHeartbeat:
        """The older form of a heartbeat."""
        beat = await self.heartbeat(session_id, caller, now)
        return SyncHeartbeat(
            session_id=session_id,
            user_id=caller.user_id,
            rack_renewed=beat.rack_lock_renewed,
            timestamp=now.timestamp(),
        )

    async def complete(self, session_id: str, caller: Caller, now: datetime) -> SessionCompleted:
        """Finish a session; its rack becomes completed unless somebody else has claimed it since."""
        session = rules.own(await self._sessions.find_one({"_id": session_id}), session_id, caller)
        kept = await transact_until_done(
            self._client, lambda transaction: self._finish(session, caller, now, transaction)
        )
        if session["rack_id"]:
            await self._leases.release(session["rack_id"], session_id)
        self._tell(session, SessionStatus.COMPLETED, now, of_rack=kept)
        message = "Completed." if kept else "Completed; the rack was released or claimed by somebody else before."
        return SessionCompleted(id=session_id, session_id=session_id, message=message)

    async def set_status(self, session_id: str, text: str, caller: Caller, now: datetime) -> SessionStatusChanged:
        """Set a status by hand. What concerns the rack too goes the way of the rack. Raises SessionFinished."""
        status = rules.parse_status(text)
        session = rules.own(await self._sessions.find_one({"_id": session_id}), session_id, caller)
        if session["status"] in FINISHED and session["status"] != status:
            raise rules.SessionFinished(session_id=session_id, status=session["status"])
        if session["status"] != status:
            await self._move(session, status, caller, now)
        return SessionStatusChanged(id=session_id, status=status)

    async def _move(self, session: Document, status: SessionStatus, caller: Caller, now: datetime) -> None:
        rack_id, holds = session["rack_id"], await self._racks.find_one(_held_by(session), {"_id": 1}) is not None
        match status:
            case SessionStatus.COMPLETED:
                await self.complete(session["_id"], caller, now)
            case SessionStatus.CLOSED if holds:
                await self._rack_store.release(rack_id, caller, now)
            case SessionStatus.PAUSED if holds:
                await self._rack_store.pause(rack_id, caller, now)
            case SessionStatus.ACTIVE if holds and session["status"] == SessionStatus.PAUSED:
                await self._rack_store.resume(rack_id, caller, now)
            case _:
                finished = {"completed_at": now} if status in FINISHED else {}
                mine = {"_id": session["_id"], "status": session["status"]}
                await self._sessions.update_one(mine, {"$set": {"status": status.value, **finished}})
                self._tell(session, status, now)

    def _tell(self, session: Document, status: SessionStatus, now: datetime, of_rack: bool = False) -> None:
        """Tell whoever shows this session or its rack."""
        told = {"session_id": session["_id"], "user_id": session["user_id"], "status": status.value}
        self._feed.tell(EventType.SESSION_CHANGED, session_channel(session["_id"]), now, **told)
        if of_rack and session["rack_id"]:
            rack = {"rack_id": session["rack_id"], "floor": session["floor"], "session_id": session["_id"]}
            channel = rack_channel(session["rack_id"])
            self._feed.tell(EventType.RACK_CHANGED, channel, now, **rack, status=RackState.COMPLETED.value)

    def _lease_seconds(self, session: Document) -> int:
        paused = session["status"] == SessionStatus.PAUSED
        return self._settings.session_lock_ttl if paused else self._settings.rack_lock_ttl

    async def _renew(self, session: Document, seconds: int) -> bool:
        """Only the session whose fence is the rack's own may hold its lease."""
        if session["rack_id"] is None or session["status"] in FINISHED:
            return False
        if await self._racks.find_one(_held_by(session), {"_id": 1}) is None:
            await self._leases.release(session["rack_id"], session["_id"])
            return False
        return await self._leases.renew(session["rack_id"], session["_id"], seconds)

    async def _finish(self, session: Document, caller: Caller, now: datetime, transaction: AsyncClientSession) -> bool:
        done = {"status": SessionStatus.COMPLETED.value, "completed_at": now}
        unfinished = {"$in": [status.value for status in rules.UNFINISHED]}
        finished = await self._sessions.update_one(
            {"_id": session["_id"], "status": unfinished}, {"$set": done}, session=transaction
        )
        if finished.matched_count:
            details = {"rack_id": session["rack_id"], "round": session["round"]}
            await self._activity.note(Action.SESSION_COMPLETED, caller, session["_id"], now, transaction, **details)
        if session["rack_id"] is None:
            return True
        rack = {"status": RackState.COMPLETED.value, "updated_at": now}
        held = await self._racks.update_one(_held_by(session), {"$set": rack}, session=transaction)
        return bool(held.matched_count)

    async def _find(self, wanted: dict[str, Any], limit: int, skip: int = 0) -> list[Session]:
        found = self._sessions.find(wanted).sort("started_at", -1).skip(skip).limit(limit)
        sessions = await found.to_list()
        counts = await self._counts([session["_id"] for session in sessions])
        return [rules.describe(session, counts.get(session["_id"], Counts())) for session in sessions]

    async def _counts(self, session_ids: list[str]) -> dict[str, Counts]:
        """Derived, never stored: so they cannot disagree with the records."""
        finalized = {"$cond": [{"$eq": ["$status", RecordStatus.FINALIZED.value]}, 1, 0]}
        group = {
            "_id": "$session_id",
            "all": {"$sum": 1},
            "verified": {"$sum": finalized},
            "damage": {"$sum": "$damage_qty"},
        }
        stages: list[dict[str, Any]] = [{"$match": {"session_id": {"$in": session_ids}}}, {"$group": group}]
        rows = await (await self._records.aggregate(stages)).to_list()
        return {row["_id"]: Counts(row["verified"], row["all"] - row["verified"], row["damage"]) for row in rows}


def _held_by(session: Document) -> dict[str, Any]:
    """The rack of a session, as long as the session holds it."""
    states = {"$in": [state.value for state in OCCUPIED]}
    return {"_id": session["rack_id"], "fence": session["fence"], "session_id": session["_id"], "status": states}
