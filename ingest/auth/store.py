"""Users and their logins in MongoDB. A login lives in its user's document, so that one read checks both."""

import asyncio
import secrets
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from ingest.auth import rules
from ingest.auth.rules import Caller, Claims, DeadRefreshToken, WrongLogin
from stockverify.clients import Document
from stockverify.errors import Refused, SetupError
from stockverify.settings import Settings
from stockverify.vocabulary import Collection, Role
from stockverify.wire import Login, Register, Tokens, User


class UserExists(Refused):
    """The user name {username} is taken; choose another one."""


class NoAdmin(SetupError):
    """There is no user yet. Set STOCKVERIFY_ADMIN_PASSWORD to the password that the first user `admin` shall have,
    or start with `stockverify up`, which makes one and shows it once."""


class UserStore:
    """Reads and writes users and logins."""

    def __init__(self, database: AsyncDatabase[Document], settings: Settings, secret: str) -> None:
        self._users = database[Collection.USERS]
        self._settings, self._secret = settings, secret

    async def log_in(self, login: Login, device_id: str, now: datetime) -> Tokens:
        """Check the password and open a login. Raises WrongLogin."""
        user = await self._users.find_one({"username": login.username})
        stored = user["password_hash"] if user else None
        fits = await asyncio.to_thread(rules.password_fits, login.password, stored)
        if not user or not fits or not user["is_active"]:
            raise WrongLogin()
        login_id, token = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        opened = self._login(login_id, token, device_id, now)
        push = {"logins": {"$each": [opened], "$slice": -rules.MAX_LOGINS}}
        await self._users.update_one({"_id": user["_id"]}, {"$push": push})
        return self._tokens(user, login_id, token, now)

    async def refresh(self, token: str, now: datetime) -> Tokens:
        """Exchange a refresh token for new tokens; the exchange works once. Raises DeadRefreshToken."""
        old, fresh = rules.refresh_hash(token), secrets.token_urlsafe(32)
        mine = {
            "logins": {"$elemMatch": {"refresh_hash": old, "expires_at": {"$gt": now}}},
            "is_active": True,
        }
        renewed = {
            "logins.$.refresh_hash": rules.refresh_hash(fresh),
            "logins.$.expires_at": now + timedelta(seconds=self._settings.refresh_token_ttl),
        }
        user = await self._users.find_one_and_update({"logins.refresh_hash": old, **mine}, {"$set": renewed})
        if user is None:
            raise DeadRefreshToken()
        login_id = next(login["login_id"] for login in user["logins"] if login["refresh_hash"] == old)
        return self._tokens(user, login_id, fresh, now)

    async def log_out(self, caller: Caller) -> None:
        """End the caller's login: its access and refresh tokens are dead at once, for every process."""
        await self._users.update_one({"_id": caller.user_id}, {"$pull": {"logins": {"login_id": caller.login_id}}})

    async def caller(self, header: str | None, device_id: str) -> Caller:
        """Whoever an Authorization header speaks for. Raises BadToken."""
        claims = rules.verify(rules.bearer(header), self._secret)
        fields = {"username": 1, "role": 1, "is_active": 1, "logins.login_id": 1}
        user = await self._users.find_one({"_id": claims.user_id}, fields)
        open_logins = [login["login_id"] for login in (user or {}).get("logins", [])]
        if user is None or not user["is_active"] or claims.login_id not in open_logins:
            raise rules.BadToken(problem="revoked")
        return Caller(user["_id"], user["username"], Role(user["role"]), claims.login_id, device_id)

    async def me(self, caller: Caller) -> User:
        """The caller's own account."""
        return rules.describe(await self._users.find_one({"_id": caller.user_id}) or {})

    async def register(self, request: Register, now: datetime) -> User:
        """Make a user. Raises UserExists."""
        hashed = await asyncio.to_thread(rules.hash_password, request.password)
        pin = await asyncio.to_thread(rules.hash_password, request.pin) if request.pin else None
        user = _document(request, hashed, pin, now)
        try:
            await self._users.insert_one(user)
        except DuplicateKeyError:
            raise UserExists(username=request.username) from None
        return rules.describe(user)

    async def ensure_admin(self, now: datetime) -> None:
        """Make the user `admin` in an empty system. Raises NoAdmin when its password is not given."""
        if await self._users.find_one({}, {"_id": 1}):
            return
        password = self._settings.admin_password
        if not password:
            raise NoAdmin()
        admin = Register(username="admin", password=password, full_name="Administrator", role=Role.ADMIN)
        try:
            await self.register(admin, now)
        except UserExists:
            return  # another process was faster

    def _login(self, login_id: str, token: str, device_id: str, now: datetime) -> dict[str, Any]:
        return {
            "login_id": login_id,
            "refresh_hash": rules.refresh_hash(token),
            "device_id": device_id,
            "created_at": now,
            "expires_at": now + timedelta(seconds=self._settings.refresh_token_ttl),
        }

    def _tokens(self, user: Document, login_id: str, refresh_token: str, now: datetime) -> Tokens:
        seconds = self._settings.access_token_ttl
        access = rules.sign(Claims(user["_id"], login_id), self._secret, now, seconds)
        described = rules.describe(user)
        return Tokens(access_token=access, expires_in=seconds, refresh_token=refresh_token, user=described)


def _document(request: Register, password_hash: str, pin_hash: str | None, now: datetime) -> Document:
    return {
        "_id": f"u-{secrets.token_hex(8)}",
        "username": request.username,
        "full_name": request.full_name,
        "role": request.role.value,
        "email": None,
        "is_active": True,
        "password_hash": password_hash,
        "pin_hash": pin_hash,
        "created_at": now,
        "logins": [],
    }
