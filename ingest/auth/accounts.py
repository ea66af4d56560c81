"""User accounts: made, listed and changed by admins."""

import secrets
from datetime import datetime

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from ingest.activity.store import ActivityStore
from ingest.auth import changes, lockout, rules
from ingest.auth.attempts import AttemptStore
from ingest.auth.changes import Hashed
from ingest.auth.hashing import Hashing
from ingest.auth.id_tokens import Identity
from ingest.auth.rules import Caller, stranger
from ingest.outages import patiently
from ingest.transactions import transact_until_done
from stockverify.breaker import Breaker
from stockverify.clients import Document
from stockverify.errors import NotFound, Refused, SetupError
from stockverify.settings import Settings
from stockverify.vocabulary import Action, Collection, Role
from stockverify.wire.auth import ChangeUser, Register, User


class UserExists(Refused):
    """The user name {username} is taken; choose another one."""


class UnknownUser(NotFound):
    """There is no user {username}."""


class NoAdmin(SetupError):
    """There is no user yet. Set STOCKVERIFY_ADMIN_PASSWORD to the password that the first user `admin` shall have,
    or start with `stockverify up`, which makes one and shows it once."""


class AccountStore:
    """Reads and writes accounts. Hashing waits for its turn first, MongoDB has its own time limit after that."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: AsyncDatabase[Document],
        attempts: AttemptStore,
        activity: ActivityStore,
        hashing: Hashing,
        breaker: Breaker,
        settings: Settings,
    ) -> None:
        self._client, self._users, self._attempts = client, database[Collection.USERS], attempts
        self._activity, self._hashing, self._breaker, self._settings = activity, hashing, breaker, settings

    async def register(self, request: Register, caller: Caller, now: datetime) -> User:
        """Make a user. Raises UserExists or FloorsOfRole."""
        changes.check_floors(request.role, request.floors)
        hashed = await self._hashed(request.password, request.pin)
        user = _account(request.username, request.full_name, request.role, hashed, now)
        user |= {"floors": sorted(set(request.floors))}

        async def write(transaction: AsyncClientSession) -> None:
            await self._users.insert_one(dict(user), session=transaction)
            role = request.role.value
            told = {"role": role} | ({"floors": user["floors"]} if user["floors"] else {})
            await self._activity.note(Action.USER_MADE, caller, request.username, now, transaction, **told)

        try:
            await patiently(self._breaker, lambda: transact_until_done(self._client, write))
        except DuplicateKeyError:
            raise UserExists(username=request.username) from None
        return rules.describe(user)

    async def admit(self, username: str, identity: Identity, role: Role, now: datetime) -> Document:
        """An account without a password, for somebody whom the provider vouches for. Raises UserExists."""
        user = _account(username, identity.full_name, role, Hashed(None, None), now)
        user |= {"email": identity.email, "oidc_subject": identity.subject}
        who = stranger(username=username)

        async def write(transaction: AsyncClientSession) -> None:
            await self._users.insert_one(dict(user), session=transaction)
            await self._activity.note(
                Action.USER_MADE, who, username, now, transaction, role=role.value, by=identity.subject
            )

        try:
            await transact_until_done(self._client, write)
        except DuplicateKeyError:
            raise UserExists(username=username) from None
        return user

    async def users(self, after: str, limit: int) -> list[User]:
        """Accounts in the order of their user names, from behind `after`."""
        fields = {"logins": 0, "password_hash": 0, "pin_hash": 0}
        found = self._users.find({"username": {"$gt": after}}, fields).sort("username", 1).limit(limit)
        return [rules.describe(user) for user in await found.to_list()]

    async def change(self, username: str, request: ChangeUser, caller: Caller, now: datetime) -> User:
        """Change an account; whoever loses a role, the password or the account is logged out at once, everywhere.

        Raises UnknownUser or LastAdmin.
        """
        hashed = await self._hashed(request.password, request.pin or None)

        async def write(transaction: AsyncClientSession) -> Document:
            user = await self._users.find_one({"username": username}, session=transaction)
            if user is None:
                raise UnknownUser(username=username)
            if changes.costs_an_admin(user, request):
                changes.check_admins(await self._touch_admins(now, transaction))
            after = changes.changed(user, request, hashed, now)
            await self._users.update_one({"_id": user["_id"]}, {"$set": after}, session=transaction)
            told = changes.told(user, request)
            await self._activity.note(Action.USER_CHANGED, caller, username, now, transaction, **told)
            return {**user, **after}

        async def work() -> Document:
            user = await transact_until_done(self._client, write)
            if changes.ends_lock(request):
                await self._attempts.forget(lockout.key("user", username))
            return user

        return rules.describe(await patiently(self._breaker, work))

    async def ensure_admin(self, now: datetime) -> None:
        """Make the user `admin` in an empty system. Raises NoAdmin when its password is not given."""
        if await self._users.find_one({}, {"_id": 1}):
            return
        password = self._settings.admin_password
        if not password:
            raise NoAdmin()
        admin = Register(username="admin", password=password, full_name="Administrator", role=Role.ADMIN)
        try:
            await self.register(admin, stranger(), now)
        except UserExists:
            return  # another process was faster

    async def _touch_admins(self, now: datetime, transaction: AsyncClientSession) -> int:
        """How many active admins there are. Written to, so that of two who demote each other one is the last."""
        admins = {"role": Role.ADMIN.value, "is_active": True}
        touched = await self._users.update_many(admins, {"$set": {"counted_at": now}}, session=transaction)
        return touched.matched_count

    async def _hashed(self, password: str | None, pin: str | None) -> Hashed:
        return Hashed(
            await self._hashing.hashed(password) if password else None,
            await self._hashing.hashed(pin) if pin else None,
        )


def _account(username: str, full_name: str, role: Role, hashed: Hashed, now: datetime) -> Document:
    return {
        "_id": f"u-{secrets.token_hex(8)}",
        "username": username,
        "full_name": full_name,
        "role": role.value,
        "email": None,
        "is_active": True,
        "password_hash": hashed.password,
        "pin_hash": hashed.pin,
        "created_at": now,
        "logins": [],
    }
