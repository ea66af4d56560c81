"""Logging in with what an OpenID Connect provider says of a person: checked, used once, and matched to an account."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
import structlog
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from ingest.auth import id_tokens, lockout
from ingest.auth.accounts import AccountStore, UserExists
from ingest.auth.attempts import AttemptStore
from ingest.auth.id_tokens import LEEWAY, MAX_AGE, BadIdToken, Identity, UnknownKey
from ingest.auth.provider_keys import ProviderKeys
from ingest.auth.rules import stranger
from ingest.auth.store import UserStore
from ingest.devices.rules import Claimed
from ingest.outages import patiently
from stockverify.breaker import Breaker
from stockverify.clients import Document
from stockverify.errors import Forbidden, NotFound, Unauthorized
from stockverify.indexes import ANY_CASE
from stockverify.oidc import Provider
from stockverify.vocabulary import Collection
from stockverify.wire.auth import LoginOidc, NewUsername, Tokens

T = TypeVar("T")
_log = structlog.get_logger("ingest.auth")


class NoProvider(NotFound):
    """Nobody signs in through a provider here: OIDC_ISSUER is not set. Log in with a user name and a password."""


class NoAccount(Forbidden):
    """{provider} knows you, but there is no active account of yours here. Ask an admin to make one, or to enter
    your e-mail address ({known_as}) at the one that you have."""


class Ambiguous(Forbidden):
    """More than one active account has the e-mail address {known_as}. Ask an admin to leave it at one of them."""


class AnothersAccount(Forbidden):
    """The account of {known_as} belongs to somebody else at {provider}. Ask an admin: entering the e-mail address of
    the account anew gives it to whoever signs in with it next."""


class SingleSignOn:
    """Opens logins for people whom the provider vouches for."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        users: UserStore,
        accounts: AccountStore,
        attempts: AttemptStore,
        keys: ProviderKeys | None,
        provider: Provider | None,
        breaker: Breaker,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._found, self._used = database[Collection.USERS], database[Collection.ID_TOKENS]
        self._users, self._accounts, self._attempts = users, accounts, attempts
        self._keys, self._provider, self._breaker, self._clock = keys, provider, breaker, clock

    async def by_id_token(self, login: LoginOidc, device: Claimed) -> Tokens:
        """Raises NoProvider, BadIdToken, UnknownKey, NoAccount, Ambiguous, AnothersAccount, Locked, Unavailable, and
        what UserStore.open raises."""
        if self._provider is None or self._keys is None:
            raise NoProvider()
        try:
            identity = await self._verified(login.id_token, self._provider, self._keys)
            await self._guarded(lambda: self._use_up(login.id_token))
            user = await self._guarded(lambda: self._account(identity))
        except (Forbidden, Unauthorized) as error:
            _log.info("sign_in_refused", reason=type(error).__name__, problem=error.fields.get("problem"))
            raise
        return await self._guarded(lambda: self._open(user, identity, device))

    async def _verified(self, token: str, provider: Provider, keys: ProviderKeys) -> Identity:
        try:
            return id_tokens.verified(token, await keys.keys(), provider, self._clock())
        except UnknownKey:  # the provider may have changed its keys since
            return id_tokens.verified(token, await keys.newer(), provider, self._clock())

    async def _use_up(self, token: str) -> None:
        """An ID token opens one login: a copy of it opens none."""
        used = {"_id": id_tokens.fingerprint(token), "forgotten_at": self._clock() + MAX_AGE + 2 * LEEWAY}
        try:
            await self._used.insert_one(used)
        except DuplicateKeyError:
            raise self._refusal("it was used before") from None

    async def _account(self, identity: Identity) -> Document:
        """Whoever came as this person before; else who is known by the claim; else, if so set, a new one."""
        user = await self._found.find_one({"oidc_subject": identity.subject}, {"logins": 0})
        user = user or await self._known(identity) or await self._made(identity)
        if user is None or not user["is_active"]:
            raise NoAccount(provider=self._name, known_as=identity.known_as)
        if user.get("oidc_subject") not in (None, identity.subject):
            raise AnothersAccount(provider=self._name, known_as=identity.known_as)
        return user

    async def _known(self, identity: Identity) -> Document | None:
        if self._provider and self._provider.claim != "email":
            return await self._found.find_one({"username": identity.known_as}, {"logins": 0})
        listed = self._found.find({"email": identity.known_as}, {"logins": 0}).collation(ANY_CASE).limit(10)
        # The collation also takes letters of other alphabets for the same; a stranger's address may have some.
        people = [user for user in await listed.to_list() if user["email"].lower() == identity.known_as]
        active = [user for user in people if user["is_active"]]
        if len(active) > 1:
            raise Ambiguous(known_as=identity.known_as)
        return next(iter(active or people), None)

    async def _made(self, identity: Identity) -> Document | None:
        """A new account, if the settings say so and its name is one that an account may have."""
        provider = self._provider
        if provider is None or provider.new_role is None or not _is_welcome(identity, provider):
            return None
        try:
            username = msgspec.convert(identity.known_as, NewUsername)
            return await self._accounts.admit(username, identity, provider.new_role, self._clock())
        except (msgspec.ValidationError, UserExists):
            return None

    async def _open(self, user: Document, identity: Identity, device: Claimed) -> Tokens:
        """A name that is locked because somebody guesses stays locked, whichever way its owner comes."""
        who = stranger(device.device_id, user["username"])
        key = lockout.key("user", user["username"])
        await self._attempts.checked(key, who, user["username"], _right)
        changes = {"oidc_subject": identity.subject}
        return await self._users.open(user, changes, device, self._clock(), by="oidc")

    @property
    def _name(self) -> str:
        return self._provider.name if self._provider else ""

    def _refusal(self, problem: str) -> BadIdToken:
        return BadIdToken(provider=self._name, problem=problem)

    async def _guarded(self, work: Callable[[], Awaitable[T]]) -> T:
        return await patiently(self._breaker, work)


def _is_welcome(identity: Identity, provider: Provider) -> bool:
    domain = (identity.email or "").rpartition("@")[2]
    return not provider.new_domains or domain in provider.new_domains


async def _right() -> bool:
    return True
