"""Devices in MongoDB. A device is known by its id: from its enrolment, or from the first login on it."""

import secrets
from datetime import datetime

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth import lockout
from ingest.auth.attempts import AttemptStore
from ingest.auth.rules import Caller, stranger
from ingest.devices import rules
from ingest.devices.rules import Claimed, WrongCode
from ingest.transactions import transact_until_done
from stockverify.clients import Document
from stockverify.vocabulary import Action, Collection
from stockverify.wire.devices import Device, DeviceCode, EnrollDevice, Enrolled, InviteDevice


class DeviceStore:
    """Enrols, lists and revokes devices."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: AsyncDatabase[Document],
        attempts: AttemptStore,
        activity: ActivityStore,
        secret: str,
    ) -> None:
        self._client, self._attempts, self._activity, self._secret = client, attempts, activity, secret
        self._devices, self._codes = database[Collection.DEVICES], database[Collection.DEVICE_CODES]
        self._users = database[Collection.USERS]

    async def invite(self, request: InviteDevice, caller: Caller, now: datetime) -> DeviceCode:
        """A one-time code for a device of these people. Raises UnknownPeople."""
        people = list(dict.fromkeys(request.usernames))
        known = await self._users.distinct("username", {"username": {"$in": people}, "is_active": True})
        if unknown := sorted(set(people) - set(known)):
            raise rules.UnknownPeople(names=", ".join(unknown))
        code, ends = rules.new_code(), rules.code_ends(now)
        made = {"name": request.name, "usernames": people, "made_by": caller.username, "expires_at": ends}

        async def write(transaction: AsyncClientSession) -> None:
            document = {"_id": rules.code_hash(code, self._secret), **made}
            await self._codes.insert_one(document, session=transaction)
            await self._activity.note(Action.DEVICE_INVITED, caller, request.name, now, transaction, usernames=people)

        await transact_until_done(self._client, write)
        return DeviceCode(code=code, name=request.name, usernames=people, expires_at=ends.timestamp())

    async def enroll(self, request: EnrollDevice, address: str, now: datetime) -> Enrolled:
        """Exchange a code, once, for the token of a device. Raises Locked, WrongCode or AlreadyEnrolled."""
        device_id = request.device_id or f"d-{secrets.token_hex(8)}"
        wanted = {"_id": rules.code_hash(request.code, self._secret), "expires_at": {"$gt": now}}
        key, who = lockout.key("address", address), stranger(device_id)
        if await self._attempts.checked(key, who, address, lambda: self._codes.find_one(wanted, {"_id": 1})) is None:
            raise WrongCode()
        token = secrets.token_urlsafe(32)

        async def write(transaction: AsyncClientSession) -> str:
            code = await self._codes.find_one_and_delete(wanted, session=transaction)
            if code is None:  # used a moment ago
                raise WrongCode()
            rules.check_free(await self._devices.find_one({"_id": device_id}, session=transaction), device_id)
            document = _enrolled(code, token, now)
            await self._devices.update_one({"_id": device_id}, {"$set": document}, upsert=True, session=transaction)
            about = {"name": code["name"], "usernames": code["usernames"], "made_by": code["made_by"]}
            await self._activity.note(Action.DEVICE_ENROLLED, who, device_id, now, transaction, **about)
            return str(code["name"])

        name = await transact_until_done(self._client, write)
        return Enrolled(device_id=device_id, device_token=token, name=name)

    async def devices(self, after: str, limit: int) -> list[Device]:
        """Devices in the order of their ids, from behind `after`."""
        found = self._devices.find({"_id": {"$gt": after}}).sort("_id", 1).limit(limit)
        return [rules.shown(device) for device in await found.to_list()]

    async def revoke(self, device_id: str, reason: str, caller: Caller, now: datetime) -> Device:
        """Shut a device out, known or not, and end all logins that were made on it, for every process at once."""
        revoked = {"revoked_at": now, "revoked_by": caller.username, "revoked_reason": reason, "token_hash": None}

        async def write(transaction: AsyncClientSession) -> Device:
            named = {"_id": device_id}
            await self._devices.update_one(named, {"$set": revoked}, upsert=True, session=transaction)
            ended = await self._users.update_many(
                {"logins.device_id": device_id},
                {"$pull": {"logins": {"device_id": device_id}}},
                session=transaction,
            )
            about = {"reason": reason, "people_logged_out": ended.modified_count}
            await self._activity.note(Action.DEVICE_REVOKED, caller, device_id, now, transaction, **about)
            return rules.shown(await self._devices.find_one(named, session=transaction) or {})

        return await transact_until_done(self._client, write)

    async def find(self, device_id: str, transaction: AsyncClientSession | None = None) -> Document | None:
        """The stored device of this name, if there is one. A request without a name comes from none."""
        return await self._devices.find_one({"_id": device_id}, session=transaction) if device_id else None

    async def note_login(self, claimed: Claimed, now: datetime, transaction: AsyncClientSession) -> bool:
        """Whether a login comes from an enrolled device; read in the transaction that opens it, and written to, so that
        it cannot slip past a revocation at the same moment. Raises DeviceRevoked or WrongDeviceToken."""
        enrolled = rules.is_enrolled(await self.find(claimed.device_id, transaction), claimed)
        if claimed.device_id:
            # Setting a time that is there already, of another login in the same millisecond, would write nothing.
            seen = {"$set": {"last_login_at": now}, "$inc": {"login_count": 1}, "$setOnInsert": {"revoked_at": None}}
            await self._devices.update_one({"_id": claimed.device_id}, seen, upsert=True, session=transaction)
        return enrolled


def _enrolled(code: Document, token: str, now: datetime) -> Document:
    return {
        "name": code["name"],
        "usernames": code["usernames"],
        "token_hash": rules.token_hash(token),
        "enrolled_at": now,
        "revoked_at": None,
        "revoked_reason": None,
    }
