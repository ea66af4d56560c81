"""The keys of the OpenID Connect provider: fetched when they are needed, seldom, and never for long."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import jwt
import msgspec

from ingest.auth.id_tokens import keys_of
from stockverify.breaker import Breaker
from stockverify.errors import Unavailable
from stockverify.oidc import Provider, is_here, is_safe

FRESH_SECONDS = 3600.0
"""For so long nobody asks the provider again."""
LEAST_SECONDS = 60.0
"""Between two questions: whoever invents names of keys must not make us ask each time."""
LONGEST_SECONDS = 24 * 3600.0
"""For so long keys are trusted while the provider is away; a key that it took back would be good for as long."""
_TIMEOUT = httpx.Timeout(3.0, connect=2.0)
_ALTOGETHER = 5.0
_MAX_BYTES = 256 * 1024


class BadProvider(Exception):
    """The provider answered, but not as OpenID Connect Discovery has it."""


class ProviderKeys:
    """What the provider publishes, kept in the memory of one process."""

    def __init__(self, provider: Provider, breaker: Breaker, clock: Callable[[], float] = time.monotonic) -> None:
        self._provider, self._breaker, self._clock = provider, breaker, clock
        self._keys: Sequence[jwt.PyJWK] = ()
        self._fetched_at: float | None = None
        self._asked_at: float | None = None
        self._lock = asyncio.Lock()

    async def keys(self) -> Sequence[jwt.PyJWK]:
        """The keys, asked for at most once an hour. Raises Unavailable when there are none and none can be had."""
        return await self._within(FRESH_SECONDS)

    async def newer(self) -> Sequence[jwt.PyJWK]:
        """The keys once more, for a token whose key is not among them, at most once a minute. Raises Unavailable."""
        return await self._within(LEAST_SECONDS)

    async def _within(self, seconds: float) -> Sequence[jwt.PyJWK]:
        async with self._lock:  # one question serves all who wait for its answer
            usable = self._is_younger(self._fetched_at, LONGEST_SECONDS)
            asked = self._fetched_at if seconds == FRESH_SECONDS else self._asked_at
            if usable and (self._is_younger(asked, seconds) or self._is_younger(self._asked_at, LEAST_SECONDS)):
                return self._keys
            self._asked_at = self._clock()
            try:
                self._keys = await self._breaker.call(self._fetch)
                self._fetched_at = self._clock()
            except Unavailable:
                if not usable:
                    raise
            return self._keys

    def _is_younger(self, instant: float | None, seconds: float) -> bool:
        return instant is not None and self._clock() - instant < seconds

    async def _fetch(self) -> Sequence[jwt.PyJWK]:
        """Two questions: where the keys are, and the keys."""
        options: Any = {"timeout": _TIMEOUT, "trust_env": not is_here(self._provider.issuer)}
        async with asyncio.timeout(_ALTOGETHER), httpx.AsyncClient(**options) as client:
            told = await _json(client, self._provider.metadata_url)
            place = told.get("jwks_uri")
            if told.get("issuer") != self._provider.issuer or not isinstance(place, str) or not is_safe(place):
                raise BadProvider
            found = keys_of(await _json(client, place))
        if not found:
            raise BadProvider
        return found


def is_failure(error: Exception) -> bool:
    """Whether the provider is to blame."""
    return isinstance(error, httpx.HTTPError | httpx.InvalidURL | BadProvider | TimeoutError)


async def _json(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """A small JSON object. Redirects are not followed: they would lead where nobody has checked."""
    async with client.stream("GET", url) as reply:
        content = b""
        async for piece in reply.aiter_bytes():
            content += piece
            if len(content) > _MAX_BYTES:
                raise BadProvider
    if reply.status_code != httpx.codes.OK:
        raise BadProvider
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadProvider from None
