"""Users' logins in MongoDB. A login lives in its user's document, so that one read checks both."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth import rules
from ingest.auth.rules import BadToken, Caller, Claims, DeadRefreshToken, WrongLogin
from ingest.devices.rules import Claimed, DeviceRevoked, check_login
from ingest.devices.store import DeviceStore
from ingest.transactions import transact_until_done
from stockverify.clients import Document
from stockverify.settings import Settings
from stockverify.vocabulary import Action, Collection, Role
from stockverify.wire.auth import Tokens, User

_SHOWN = {"username": 1, "full_name": 1, "role": 1, "email": 1, "is_active": 1, "floors": 1, "logins.$": 1}


class UserStore:
    """Opens, renews, checks and ends logins."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: AsyncDatabase[Document],
        devices: DeviceStore,
        activity: ActivityStore,
        settings: Settings,
        secret: str,
    ) -> None:
        self._client, self._users = client, database[Collection.USERS]
        self._devices, self._activity, self._settings, self._secret = devices, activity, settings, secret

    async def open(
        self, checked: Document, changes: Document, device: Claimed, now: datetime, **details: str
    ) -> Tokens:
        """A login for a user whose password or PIN was right a moment ago; `changes` go along, and `details` into the
        audit log.

        Raises WrongLogin when the account has changed meanwhile, DeviceRevoked, WrongDeviceToken or NotEnrolled.
        """
        login_id, token = secrets.token_urlsafe(16), secrets.token_urlsafe(32)

        async def write(transaction: AsyncClientSession) -> Document:
            user = await self._users.find_one({"_id": checked["_id"]}, session=transaction)
            if not user or not user["is_active"] or user.get("changed_at") != checked.get("changed_at"):
                raise WrongLogin()
            enrolled = await self._devices.note_login(device, now, transaction)
            check_login(Role(user["role"]), enrolled, self._settings.require_enrolled_devices)
            opened = self._login(login_id, token, device.device_id, enrolled, now)
            set_to = {"logins": rules.kept_logins(user["logins"], opened, now), **changes}
            await self._users.update_one({"_id": user["_id"]}, {"$set": set_to}, session=transaction)
            caller = _caller(user, login_id, device.device_id)
            await self._activity.note(Action.LOGGED_IN, caller, user["username"], now, transaction, **details)
            return user

        user = await transact_until_done(self._client, write)
        return self._tokens(user, Claims(user["_id"], login_id, device.device_id), token, now)

    async def refresh(self, token: str, device_id: str, now: datetime) -> Tokens:
        """Exchange a refresh token for new tokens; the exchange works once, and trying it again ends the login.

        Raises DeadRefreshToken, NotThisDevice or DeviceRevoked.
        """
        old, fresh = rules.refresh_hash(token), secrets.token_urlsafe(32)
        mine = {"is_active": True, "logins": {"$elemMatch": {"refresh_hash": old, "expires_at": {"$gt": now}}}}
        user = await self._users.find_one(mine, _SHOWN)
        if user is not None:
            await self._check_use(user, device_id)
            renewed = {
                "logins.$.refresh_hash": rules.refresh_hash(fresh),
                "logins.$.previous_hash": old,
                "logins.$.expires_at": now + timedelta(seconds=self._settings.refresh_token_ttl),
            }
            if (await self._users.update_one(mine, {"$set": renewed})).matched_count:
                login = user["logins"][0]
                return self._tokens(user, Claims(user["_id"], login["login_id"], login["device_id"]), fresh, now)
        await self._end_reused(old, device_id, now)
        raise DeadRefreshToken()

    async def log_out(self, caller: Caller, now: datetime) -> None:
        """End the caller's login: its access and refresh tokens are dead at once, for every process."""
        await self._end(caller, Action.LOGGED_OUT, now)

    def claims(self, header: str | None) -> Claims:
        """What the token of an Authorization header says. Raises BadToken."""
        return rules.verify(rules.bearer(header), self._secret)

    async def caller(self, header: str | None, device_id: str) -> Caller:
        """Whoever an Authorization header speaks for. Raises BadToken, NotThisDevice or DeviceRevoked."""
        return await self.speaker(self.claims(header), device_id)

    async def speaker(self, claims: Claims, device_id: str) -> Caller:
        """Whoever a good token speaks for, if its login is still open; the same errors."""
        mine = {"_id": claims.user_id, "is_active": True, "logins.login_id": claims.login_id}
        user = await self._users.find_one(mine, {"username": 1, "role": 1, "floors": 1, "logins.$": 1})
        if user is None:
            raise BadToken(problem="revoked")
        await self._check_use(user, device_id)
        return _caller(user, claims.login_id, device_id)

    async def me(self, caller: Caller) -> User:
        """The caller's own account."""
        return rules.describe(await self._users.find_one({"_id": caller.user_id}, {"logins": 0}) or {})

    async def _check_use(self, user: Document, device_id: str) -> None:
        """Whether the one login that was read may be used on this device."""
        login, required = user["logins"][0], self._settings.require_enrolled_devices
        if rules.check_use(login, Role(user["role"]), device_id, required):
            stored = await self._devices.find(device_id)
            if stored and stored["revoked_at"]:
                raise DeviceRevoked()

    async def _end_reused(self, old: str, device_id: str, now: datetime) -> None:
        """Somebody has a refresh token that was exchanged before: a thief, or its owner after a thief."""
        user = await self._users.find_one({"logins.previous_hash": old}, _SHOWN)
        if user is not None:
            await self._end(_caller(user, user["logins"][0]["login_id"], device_id), Action.TOKEN_REUSED, now)

    async def _end(self, caller: Caller, why: Action, now: datetime) -> None:
        async def write(transaction: AsyncClientSession) -> None:
            mine = {"_id": caller.user_id, "logins.login_id": caller.login_id}
            pull = {"$pull": {"logins": {"login_id": caller.login_id}}}
            if (await self._users.update_one(mine, pull, session=transaction)).matched_count:
                await self._activity.note(why, caller, caller.username, now, transaction)

        await transact_until_done(self._client, write)

    def _login(self, login_id: str, token: str, device_id: str, enrolled: bool, now: datetime) -> dict[str, Any]:
        return {
            "login_id": login_id,
            "refresh_hash": rules.refresh_hash(token),
            "device_id": device_id,
            "enrolled": enrolled,
            "created_at": now,
            "expires_at": now + timedelta(seconds=self._settings.refresh_token_ttl),
        }

    def _tokens(self, user: Document, claims: Claims, refresh_token: str, now: datetime) -> Tokens:
        seconds = self._settings.access_token_ttl
        access = rules.sign(claims, self._secret, now, seconds)
        described = rules.describe(user)
        return Tokens(access_token=access, expires_in=seconds, refresh_token=refresh_token, user=described)


def _caller(user: Document, login_id: str, device_id: str) -> Caller:
    floors = tuple(user.get("floors") or ())
    return Caller(user["_id"], user["username"], Role(user["role"]), login_id, device_id, floors)
