"""Flags in MongoDB: the worker's scans write what they find, and people what they say about it."""

from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.flags import rules
from ingest.outages import patiently
from ingest.racks.store import RackStore
from ingest.transactions import transact_until_done
from stockverify.breaker import Breaker
from stockverify.clients import Document, as_stored
from stockverify.errors import BadInput, NotFound, Refused
from stockverify.vocabulary import Action, Collection, FlagState, RunKind, RunStatus
from stockverify.wire.anomalies import AskRecount, KeptFlag, KeptFlags, NotOpened, RecountAsked
from stockverify.wire.reports import Pagination

_BY_SEVERITY = [("severity", -1), ("_id", 1)]
_SCAN = {"kind": RunKind.ANOMALY_SCAN.value, "status": RunStatus.SUCCEEDED.value, "snapshot_id": {"$ne": None}}


class FlagStore:
    """Reads flags, and keeps what people say about them. What scans write is theirs alone."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: AsyncDatabase[Document],
        racks: RackStore,
        activity: ActivityStore,
        breaker: Breaker,
    ) -> None:
        self._client, self._racks, self._activity, self._breaker = client, racks, activity, breaker
        self._flags, self._runs = database[Collection.ANOMALY_FLAGS], database[Collection.RUNS]

    async def listed(self, asked: rules.Asked, skip: int, limit: int) -> KeptFlags:
        """Flags, the most severe first, and the snapshot that the latest scan has looked at."""
        wanted = rules.wanted(asked)
        total = await self._flags.count_documents(wanted)
        found = await self._flags.find(wanted).sort(_BY_SEVERITY).skip(skip).limit(limit).to_list()
        return KeptFlags(
            scan=rules.scan_of(await self._scan()),
            by_state=await self._by_state(),
            flags=[rules.shown(flag) for flag in found],
            pagination=Pagination(skip=skip, limit=limit, total=total, has_more=skip + len(found) < total),
        )

    async def one(self, flag_id: str) -> KeptFlag:
        """One flag. Raises FlagUnknown."""
        return rules.shown(rules.known(await self._flags.find_one({"_id": flag_id}), flag_id))

    async def dismiss(self, flag_id: str, note: str, caller: Caller, now: datetime) -> KeptFlag:
        """Keep why it needs no look. Raises FlagUnknown or FlagDismissed."""

        async def work(transaction: AsyncClientSession) -> Document:
            flag = rules.known(await self._flags.find_one({"_id": flag_id}, session=transaction), flag_id)
            change = rules.dismissal(flag, note, caller, as_stored(now))
            return await self._say(flag, change, Action.FLAG_DISMISSED, caller, now, transaction, note=note)

        return rules.shown(await transact_until_done(self._client, work))

    async def restore(self, flag_id: str, caller: Caller, now: datetime) -> KeptFlag:
        """Take a dismissal back. Raises FlagUnknown."""

        async def work(transaction: AsyncClientSession) -> Document:
            flag = rules.known(await self._flags.find_one({"_id": flag_id}, session=transaction), flag_id)
            change, before = rules.restored(flag, await self._scan(transaction)), flag["dismissed"] or {}
            told = {"dismissed_by": before.get("by"), "note": before.get("note")}
            return await self._say(flag, change, Action.FLAG_RESTORED, caller, now, transaction, **told)

        return rules.shown(await transact_until_done(self._client, work))

    async def recount(self, flag_id: str, request: AskRecount, caller: Caller, now: datetime) -> RecountAsked:
        """Open racks of the flag for another round; what stands against one costs only that one. Raises FlagUnknown,
        NotItsRacks or NoRackToRecount."""
        flag = await patiently(self._breaker, lambda: self._stored(flag_id))
        opened, refused = [], []
        for rack_id in rules.racks_asked(flag, request.rack_ids):
            try:
                await self._open(rack_id, flag_id, request.reason, caller, now)
                opened.append(rack_id)
            except (BadInput, NotFound, Refused) as error:
                refused.append(NotOpened(rack_id=rack_id, reason=error.message))
        if opened:
            said = {"by": caller.username, "at": as_stored(now), "reason": request.reason, "racks": opened}
            flag = await patiently(self._breaker, lambda: self._asked(flag_id, said, caller, now))
        return RecountAsked(flag=rules.shown(flag), opened=opened, refused=refused)

    async def _open(self, rack_id: str, flag_id: str, reason: str, caller: Caller, now: datetime) -> None:
        why = {"reason": reason, "flag_id": flag_id}
        await patiently(self._breaker, lambda: self._racks.reverify(rack_id, caller, now, **why))

    async def _asked(self, flag_id: str, said: Document, caller: Caller, now: datetime) -> Document:
        async def work(transaction: AsyncClientSession) -> Document:
            flag = rules.known(await self._flags.find_one({"_id": flag_id}, session=transaction), flag_id)
            told = {"reason": said["reason"], "racks": said["racks"]}
            return await self._say(flag, {"recount": said}, Action.FLAG_RECOUNT, caller, now, transaction, **told)

        return await transact_until_done(self._client, work)

    async def _say(
        self,
        flag: Document,
        change: Document | None,
        action: Action,
        caller: Caller,
        now: datetime,
        transaction: AsyncClientSession,
        **told: Any,
    ) -> Document:
        """Write a change with its entry in the audit log; no change is no entry."""
        if change is None:
            return flag
        await self._flags.update_one({"_id": flag["_id"]}, {"$set": change}, session=transaction)
        about = {"kind": flag["kind"], "flag_subject": flag["subject"]}
        await self._activity.note(action, caller, flag["_id"], now, transaction, **about, **told)
        return flag | change

    async def _stored(self, flag_id: str) -> Document:
        return rules.known(await self._flags.find_one({"_id": flag_id}), flag_id)

    async def _scan(self, transaction: AsyncClientSession | None = None) -> Document | None:
        return await self._runs.find_one(_SCAN, sort=[("requested_at", -1)], session=transaction)

    async def _by_state(self) -> dict[FlagState, int]:
        stages: list[Document] = [
            {"$match": {"state": {"$in": [state.value for state in FlagState]}}},
            {"$group": {"_id": "$state", "count": {"$sum": 1}}},
        ]
        return rules.by_state(await (await self._flags.aggregate(stages)).to_list())
