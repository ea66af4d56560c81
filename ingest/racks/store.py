"""Racks in MongoDB, and the order in which lease and fence are written.

A claim takes the lease first and the fence second: when the second step fails the lease is given back, and when that
fails too it ends by itself. The fence rises in the same transaction that opens the session.
"""

import uuid
from datetime import datetime

from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.leases.store import LeaseStore
from ingest.live.feed import Feed
from ingest.racks import rules
from ingest.racks.rules import Continue, Fresh, TakeOver
from ingest.sessions.rules import new_session
from ingest.transactions import transact_until_done
from stockverify.clients import Document
from stockverify.errors import Unavailable
from stockverify.settings import Settings
from stockverify.vocabulary import Collection, RackState, SessionStatus
from stockverify.wire import AvailableRack, Claim, Grant, RackChanged, RackStateChanged, RackStatus


class RackStore:
    """Reads and changes racks."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: AsyncDatabase[Document],
        leases: LeaseStore,
        activity: ActivityStore,
        feed: Feed,
        settings: Settings,
    ) -> None:
        self._client, self._leases, self._settings = client, leases, settings
        self._activity, self._feed = activity, feed
        self._racks, self._sessions = database[Collection.RACKS], database[Collection.SESSIONS]

    async def available(self, floor: str | None) -> list[AvailableRack]:
        """Racks that nobody holds and that are not completed."""
        wanted: Document = {"status": {"$in": [state.value for state in rules.CLAIMABLE]}}
        wanted |= {"floor": floor} if floor else {"floor": {"$gte": ""}}
        racks = await self._racks.find(wanted).sort([("floor", 1), ("_id", 1)]).to_list()
        held = await self._leases.held([rack["_id"] for rack in racks])
        return [rules.as_available(rack) for rack in racks if rack["_id"] not in held]

    async def floors(self) -> list[str]:
        """Names of all floors."""
        return sorted(await self._racks.distinct("floor", {"floor": {"$gte": ""}}))

    async def mine(self, caller: Caller, now: datetime) -> list[RackStatus]:
        """Racks that the caller holds or has paused."""
        states = [state.value for state in (*rules.HELD, RackState.PAUSED)]
        racks = await self._racks.find({"claimed_by": caller.user_id, "status": {"$in": states}}).to_list()
        return [await self._status(rack, now) for rack in racks]

    async def status(self, rack_id: str, now: datetime) -> RackStatus:
        """One rack. Raises RackNotFound."""
        return await self._status(await self._known(rack_id), now)

    async def claim(self, rack_id: str, claim: Claim, caller: Caller, now: datetime) -> Grant:
        """Give the rack to the caller, or say who stands in the way."""
        rack = await self._ensure(rules.checked_id(rack_id), claim.floor or "", now)
        current = await self._sessions.find_one({"_id": rack["session_id"]}) if rack["session_id"] else None
        lease = await self._leases.holder(rack_id)
        holder = lease.session_id if lease else None
        match rules.decide_claim(rack, current, holder, caller, bool(claim.take_over)):
            case Continue(session_id):
                return await self._continue(rack, session_id, now)
            case TakeOver(old):
                return await self._open(rack, caller, now, replacing=old)
            case Fresh():
                return await self._open(rack, caller, now, replacing=None)

    async def release(self, rack_id: str, caller: Caller, now: datetime) -> RackChanged:
        """Give the rack back for others to claim; its session is closed."""
        rack = rules.require_holder(await self._racks.find_one({"_id": rack_id}), rack_id, caller, "release")
        free = {"status": RackState.AVAILABLE.value, "claimed_by": None, "session_id": None}
        await self._change(rack, free, SessionStatus.CLOSED, now)
        await self._leases.release(rack_id, rack["session_id"])
        return RackChanged(rack_id=rack_id, message="Released.")

    async def force_release(self, rack_id: str, reason: str, caller: Caller, now: datetime) -> RackStateChanged:
        """Take the rack from whoever holds it: the fence rises, so that what they still send is kept aside."""
        rack = await self._known(rack_id)
        if rack["status"] not in rules.OCCUPIED:
            raise rules.RackNotHeld(rack_id=rack_id, status=rack["status"])
        override = {"by": caller.username, "reason": reason, "at": now, "from_session": rack["session_id"]}
        free = {
            "status": RackState.AVAILABLE.value,
            "claimed_by": None,
            "session_id": None,
            "fence": rack["fence"] + 1,
            "last_override": override,
        }
        await self._change(rack, free, SessionStatus.CLOSED, now)
        await self._leases.release(rack_id, rack["session_id"])
        message = "Released by a supervisor; the former holder's later counts become conflicts."
        return RackStateChanged(rack_id=rack_id, status=RackState.AVAILABLE, message=message)

    async def pause(self, rack_id: str, caller: Caller, now: datetime) -> RackStateChanged:
        """Keep the rack reserved for SESSION_LOCK_TTL seconds without heartbeats."""
        rack = rules.require_holder(await self._racks.find_one({"_id": rack_id}), rack_id, caller, "pause")
        await self._switch(rack, RackState.PAUSED, SessionStatus.PAUSED, self._settings.session_lock_ttl, now)
        return RackStateChanged(rack_id=rack_id, status=RackState.PAUSED, message="Paused; resume to go on.")

    async def resume(self, rack_id: str, caller: Caller, now: datetime) -> RackStateChanged:
        """Go on with a paused rack."""
        rack = rules.require_holder(await self._racks.find_one({"_id": rack_id}), rack_id, caller, "resume")
        if rack["status"] != RackState.PAUSED:
            raise rules.NotPaused(rack_id=rack_id, status=rack["status"])
        await self._switch(rack, RackState.ACTIVE, SessionStatus.ACTIVE, self._settings.rack_lock_ttl, now)
        return RackStateChanged(rack_id=rack_id, status=RackState.ACTIVE, message="Resumed.")

    async def reverify(self, rack_id: str, now: datetime) -> RackStateChanged:
        """Open a completed rack for another round."""
        asked = {
            "status": RackState.REVERIFY_REQUESTED.value,
            "updated_at": now,
            "claimed_by": None,
            "session_id": None,
        }
        done = {"_id": rack_id, "status": RackState.COMPLETED.value}
        before = await self._racks.find_one_and_update(done, {"$set": asked, "$inc": {"round": 1}})
        if before is not None:  # a heartbeat that overtook the completion may have left its lease behind
            await self._leases.release(rack_id, before["session_id"])
        elif (rack := await self._known(rack_id))["status"] != RackState.REVERIFY_REQUESTED:
            raise rules.RackUnsettled(rack_id=rack_id, status=rack["status"])
        message = "Open for another counting round."
        return RackStateChanged(rack_id=rack_id, status=RackState.REVERIFY_REQUESTED, message=message)

    async def _known(self, rack_id: str) -> Document:
        rack = await self._racks.find_one({"_id": rack_id})
        if rack is None:
            raise rules.RackNotFound(rack_id=rack_id)
        return rack

    async def _ensure(self, rack_id: str, floor: str, now: datetime) -> Document:
        made = rules.new_rack(rack_id, floor, now)
        rack = await self._racks.find_one_and_update(
            {"_id": rack_id}, {"$setOnInsert": made}, upsert=True, return_document=ReturnDocument.AFTER
        )
        return made | (rack or {})

    async def _status(self, rack: Document, now: datetime) -> RackStatus:
        """Without Redis the rest is still worth telling."""
        try:
            lease = await self._leases.holder(rack["_id"])
        except Unavailable:
            lease = None
        return rules.as_status(rack, lease.milliseconds / 1000 if lease else None, now)

    async def _continue(self, rack: Document, session_id: str, now: datetime) -> Grant:
        if not await self._leases.renew(rack["_id"], session_id, self._settings.rack_lock_ttl):
            raise rules.RackHeld(rack_id=rack["_id"])
        if rack["status"] == RackState.PAUSED:
            await self._change(rack, {"status": RackState.ACTIVE.value}, SessionStatus.ACTIVE, now)
        return self._grant(rack, session_id, "You hold this rack already; go on.")

    async def _open(self, rack: Document, caller: Caller, now: datetime, replacing: str | None) -> Grant:
        session_id, seconds = f"s-{uuid.uuid4().hex}", self._settings.rack_lock_ttl
        rack_id = rack["_id"]
        taken = (
            await self._leases.replace(rack_id, replacing, session_id, seconds)
            if replacing
            else await self._leases.take(rack_id, session_id, seconds)
        )
        if not taken:
            raise rules.RackHeld(rack_id=rack_id)
        try:
            granted = await self._fence(rack_id, session_id, caller, now)
        except BaseException:
            await self._leases.release(rack_id, session_id)
            raise
        return self._grant(granted, session_id, "The rack is yours.")

    async def _fence(self, rack_id: str, session_id: str, caller: Caller, now: datetime) -> Document:
        """Raise the fence, close the session before, open the new one: all or nothing."""
        held = {
            "status": RackState.CLAIMED.value,
            "claimed_by": caller.user_id,
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
            await self._sessions.insert_one(new_session(session_id, caller, now, rack=after), session=transaction)
            return after

        return await transact_until_done(self._client, work)

    async def _close(self, session_id: str | None, now: datetime, transaction: AsyncClientSession) -> None:
        unfinished = {"$in": [SessionStatus.ACTIVE.value, SessionStatus.PAUSED.value]}
        closed = {"status": SessionStatus.CLOSED.value, "completed_at": now}
        await self._sessions.update_one(
            {"_id": session_id, "status": unfinished}, {"$set": closed}, session=transaction
        )

    async def _switch(
        self, rack: Document, state: RackState, session: SessionStatus, seconds: int, now: datetime
    ) -> None:
        """Pause or resume. The lease is extended last, so that a change that comes too late leaves none behind."""
        lease = await self._leases.holder(rack["_id"])
        if lease is not None and lease.session_id != rack["session_id"]:
            raise rules.RackHeld(rack_id=rack["_id"])
        await self._change(rack, {"status": state.value}, session, now)
        await self._leases.renew(rack["_id"], rack["session_id"], seconds)

    async def _change(self, rack: Document, change: Document, session: SessionStatus, now: datetime) -> None:
        """Change a rack and its session together, if both are still as they were read. Raises RackMoved."""
        seen = {name: rack[name] for name in ("_id", "fence", "session_id")}
        if rack["status"] == RackState.PAUSED:
            seen["status"] = rack["status"]
        else:  # a claimed rack becomes active with its first record, which is no change that matters here
            seen["status"] = {"$in": [state.value for state in rules.HELD]}
        finished = {"completed_at": now} if session in rules.FINISHED else {}
        unfinished = {"_id": rack["session_id"], "status": {"$nin": [state.value for state in rules.FINISHED]}}

        async def work(transaction: AsyncClientSession) -> None:
            changed = await self._racks.update_one(seen, {"$set": change | {"updated_at": now}}, session=transaction)
            if not changed.matched_count:
                raise rules.RackMoved(rack_id=rack["_id"])
            status = {"status": session.value, **finished}
            await self._sessions.update_one(unfinished, {"$set": status}, session=transaction)

        await transact_until_done(self._client, work)

    def _grant(self, rack: Document, session_id: str, message: str) -> Grant:
        return Grant(
            rack_id=rack["_id"],
            session_id=session_id,
            floor=rack["floor"],
            lock_ttl=self._settings.rack_lock_ttl,
            fence=rack["fence"],
            message=message,
        )
