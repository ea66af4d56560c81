"""Racks in MongoDB, and the order in which lease and fence are written.

A claim takes the lease first and the fence second: when the second step fails the lease is given back, and when that
fails too it ends by itself. The fence rises in the same transaction that opens the session.
"""

import uuid
from contextlib import suppress
from datetime import datetime

from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.leases.store import LeaseStore
from ingest.live.feed import Feed
from ingest.metrics import observe
from ingest.racks import rules
from ingest.racks.rules import Continue, Fresh, TakeOver
from ingest.racks.writes import Noted, RackWrites
from ingest.scopes.rules import check_floor
from stockverify.clients import Document
from stockverify.errors import Unavailable
from stockverify.settings import Settings
from stockverify.vocabulary import Action, Collection, EventType, RackState, SessionStatus, rack_channel
from stockverify.wire.racks import AvailableRack, Claim, FloorRack, Grant, RackChanged, RackStateChanged, RackStatus


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
        self._leases, self._settings = leases, settings
        self._feed, self._writes = feed, RackWrites(client, database, activity)
        self._racks, self._sessions = database[Collection.RACKS], database[Collection.SESSIONS]

    async def available(self, floor: str | None, caller: Caller) -> list[AvailableRack]:
        """Racks that nobody holds and that are not completed."""
        wanted: Document = {"status": {"$in": [state.value for state in rules.CLAIMABLE]}}
        wanted |= _on(floor, caller)
        racks = await self._racks.find(wanted).sort([("floor", 1), ("_id", 1)]).to_list()
        try:
            held = await self._leases.held([rack["_id"] for rack in racks])
        except Unavailable:
            held = {rack["_id"] for rack in racks if not rules.claimable_without_leases(rack)}
        return [rules.as_available(rack) for rack in racks if rack["_id"] not in held]

    async def listed(self, floor: str | None, caller: Caller) -> list[FloorRack]:
        """All racks by floor and name, as MongoDB has them: no lease is asked, so that a page may ask often."""
        racks = await self._racks.find(_on(floor, caller)).sort([("floor", 1), ("_id", 1)]).to_list()
        return [rules.on_floor(rack) for rack in racks]

    async def floors(self, caller: Caller) -> list[str]:
        """Names of all floors that the caller may see."""
        return sorted(await self._racks.distinct("floor", _on(None, caller)))

    async def mine(self, caller: Caller, now: datetime) -> list[RackStatus]:
        """Racks that the caller holds or has paused."""
        states = [state.value for state in (*rules.HELD, RackState.PAUSED)]
        racks = await self._racks.find({"claimed_by": caller.user_id, "status": {"$in": states}}).to_list()
        return [await self._status(rack, now) for rack in racks]

    async def status(self, rack_id: str, caller: Caller, now: datetime) -> RackStatus:
        """One rack. Raises RackNotFound or OutOfReach."""
        rack = await self._known(rack_id)
        check_floor(rack["floor"], caller)
        return await self._status(rack, now)

    async def claim(self, rack_id: str, claim: Claim, caller: Caller, now: datetime) -> Grant:
        """Give the rack to the caller, or say who stands in the way."""
        rack = await self._ensure(rules.checked_id(rack_id), claim.floor or "", now)
        current = await self._sessions.find_one({"_id": rack["session_id"]}) if rack["session_id"] else None
        lease = await self._leases.holder(rack_id)
        holder = lease.session_id if lease else None
        stray = holder if await self._is_stray(holder, rack) else None
        match rules.decide_claim(rack, current, None if stray else holder, caller, bool(claim.take_over)):
            case Continue(session_id):
                return await self._continue(rack, session_id, now)
            case TakeOver(old):
                return await self._open(rack, caller, now, Action.RACK_TAKEN_OVER, replacing=stray or old)
            case Fresh():
                return await self._open(rack, caller, now, Action.RACK_CLAIMED, replacing=stray)

    async def release(self, rack_id: str, caller: Caller, now: datetime) -> RackChanged:
        """Give the rack back for others to claim; its session is closed."""
        rack = rules.require_holder(await self._racks.find_one({"_id": rack_id}), rack_id, caller, "release")
        free = {"status": RackState.AVAILABLE.value, "claimed_by": None, "session_id": None}
        noted = Noted(Action.RACK_RELEASED, caller, {})
        await self._writes.change(rack, free, SessionStatus.CLOSED, now, noted)
        await self._leases.release(rack_id, rack["session_id"])
        self._tell(rack, RackState.AVAILABLE, None, now)
        return RackChanged(rack_id=rack_id, message="Released.")

    async def force_release(self, rack_id: str, reason: str, caller: Caller, now: datetime) -> RackStateChanged:
        """Take the rack from whoever holds it: the fence rises, so that what they still send is kept aside."""
        rack = await self._known(rack_id)
        check_floor(rack["floor"], caller)
        if rack["status"] not in rules.OCCUPIED:
            raise rules.RackNotHeld(rack_id=rack_id, status=rack["status"])
        free = {
            "status": RackState.AVAILABLE.value,
            "claimed_by": None,
            "session_id": None,
            "fence": rack["fence"] + 1,
        }
        noted = Noted(Action.RACK_FORCE_RELEASED, caller, {"reason": reason, "holder": rack["claimed_by"]})
        await self._writes.change(rack, free, SessionStatus.CLOSED, now, noted)
        await self._leases.release(rack_id, rack["session_id"])
        observe.lease("force_released")
        self._tell(rack, RackState.AVAILABLE, None, now)
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

    async def reverify(self, rack_id: str, caller: Caller, now: datetime, **why: str) -> RackStateChanged:
        """Open a completed rack for another round; asking again changes nothing. `why` goes to the audit log."""
        if caller.floors:
            check_floor((await self._known(rack_id))["floor"], caller)
        before = await self._writes.open_next_round(rack_id, Noted(Action.RACK_REVERIFY, caller, dict(why)), now)
        if before is not None:  # a heartbeat that overtook the completion may have left its lease behind
            await self._leases.release(rack_id, before["session_id"])
            self._tell(before, RackState.REVERIFY_REQUESTED, None, now)
        elif (rack := await self._known(rack_id))["status"] != RackState.REVERIFY_REQUESTED:
            raise rules.RackUnsettled(rack_id=rack_id, status=rack["status"])
        message = "Open for another counting round."
        return RackStateChanged(rack_id=rack_id, status=RackState.REVERIFY_REQUESTED, message=message)

    async def _is_stray(self, holder: str | None, rack: Document) -> bool:
        """A lease that its session's end could not give back, because Redis was away then."""
        if holder is None or holder == rack["session_id"]:
            return False
        finished = {"$in": [status.value for status in rules.FINISHED]}
        return await self._sessions.find_one({"_id": holder, "status": finished}, {"_id": 1}) is not None

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
            await self._writes.change(rack, {"status": RackState.ACTIVE.value}, SessionStatus.ACTIVE, now)
            self._tell(rack, RackState.ACTIVE, session_id, now)
        return self._grant(rack, session_id, "You hold this rack already; go on.")

    async def _open(
        self, rack: Document, caller: Caller, now: datetime, action: Action, replacing: str | None
    ) -> Grant:
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
            granted = await self._writes.grant(rack_id, session_id, Noted(action, caller, {}), now)
        except BaseException:
            await self._leases.release(rack_id, session_id)
            raise
        if action is Action.RACK_CLAIMED and rack["status"] in rules.OCCUPIED and rack["claimed_by"] != caller.user_id:
            observe.lease("lost")  # by whoever held it before; counted here, since they ask again and again
        self._tell(granted, RackState.CLAIMED, session_id, now)
        with suppress(Unavailable):  # the rack is theirs all the same; the first heartbeat says it again
            await self._leases.mark_present(caller, session_id, rack_id, now, self._settings.heartbeat_ttl)
        return self._grant(granted, session_id, "The rack is yours.")

    async def _switch(
        self, rack: Document, state: RackState, session: SessionStatus, seconds: int, now: datetime
    ) -> None:
        """Pause or resume. The lease is extended last, so that a change that comes too late leaves none behind."""
        lease = await self._leases.holder(rack["_id"])
        if lease is not None and lease.session_id != rack["session_id"]:
            raise rules.RackHeld(rack_id=rack["_id"])
        await self._writes.change(rack, {"status": state.value}, session, now)
        await self._leases.renew(rack["_id"], rack["session_id"], seconds)
        self._tell(rack, state, rack["session_id"], now)

    def _tell(self, rack: Document, status: RackState, session_id: str | None, now: datetime) -> None:
        """Tell whoever shows this rack."""
        self._feed.tell(
            EventType.RACK_CHANGED,
            rack_channel(rack["_id"]),
            now,
            rack_id=rack["_id"],
            floor=rack["floor"],
            status=status.value,
            session_id=session_id,
        )

    def _grant(self, rack: Document, session_id: str, message: str) -> Grant:
        return Grant(
            rack_id=rack["_id"],
            session_id=session_id,
            floor=rack["floor"],
            lock_ttl=self._settings.rack_lock_ttl,
            fence=rack["fence"],
            message=message,
        )


def _on(floor: str | None, caller: Caller) -> Document:
    """The filter of a list: one floor or all, of those that the caller may see."""
    on = {"$eq": floor} if floor else {"$gte": ""}
    return {"floor": on | ({"$in": list(caller.floors)} if caller.floors else {})}
