"""The calls of the HTTP contract that a device makes: typed in, typed out, and every failure a named error."""

import asyncio
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from stockverify.client.exchange import Exchange
from stockverify.client.memory import Login
from stockverify.client.problems import LoginNeeded, Offline, WrongLogin
from stockverify.client.replies import Me, SyncReply
from stockverify.errors import StockVerifyError
from stockverify.wire import auth
from stockverify.wire.common import Request
from stockverify.wire.devices import EnrollDevice, Enrolled
from stockverify.wire.racks import AvailableRack, Claim, Grant, RackChanged, RackStateChanged
from stockverify.wire.sessions import Heartbeat, Session, SessionCompleted

T = TypeVar("T")

REFRESH_BEFORE_SECONDS = 60.0
"""An access token is renewed when it has less than this left, so that a batch does not meet its end."""

_NOTHING: Mapping[str, str] = MappingProxyType({})

PROBE_TIMEOUT_SECONDS = 5.0
"""A network that takes longer to answer a probe does not count as back."""


class Api:
    """The service as one device sees it. `keep` stores the login whenever it changes; `client` may be shared."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        base_url: str,
        device_id: str,
        login: Login | None = None,
        keep: Callable[[Login | None], None] = lambda login: None,
        monotonic: Callable[[], float] = time.monotonic,
        about_queue: Callable[[], Mapping[str, str]] = dict,
        device_token: str | None = None,
    ) -> None:
        """`about_queue` gives the headers that tell the service how much waits here. Raises BadAddress."""
        self.device_token = device_token
        self._exchange = Exchange(client, base_url, device_id)
        self._login, self._keep, self._monotonic = login, keep, monotonic
        self._about_queue = about_queue
        self._expires_at: float | None = None  # after a restart unknown: a 401 tells
        self._refreshing = asyncio.Lock()

    async def log_in(self, username: str, password: str) -> None:
        """Open a login for this device. Raises WrongLogin."""
        await self._log_in("/api/auth/login", auth.Login(username=username, password=password))

    async def log_in_by_pin(self, username: str, pin: str) -> None:
        """The same with a PIN."""
        await self._log_in("/api/auth/login-pin", auth.LoginPin(username=username, pin=pin))

    async def enroll(self, code: str, device_id: str) -> Enrolled:
        """Exchange an admin's code, once, for a token that logins on this device carry. Raises WrongLogin."""
        body = EnrollDevice(code=code, device_id=device_id)
        try:
            enrolled = await self._exchange.send("POST", "/api/devices/enroll", Enrolled, body)
        except LoginNeeded as error:
            raise WrongLogin(**error.fields) from None
        self.device_token = enrolled.device_token
        return enrolled

    async def me(self) -> Me:
        """The person who is logged in."""
        return await self._call("GET", "/api/auth/me", Me)

    async def available_racks(self, floor: str | None = None) -> list[AvailableRack]:
        """Racks that nobody holds."""
        return await self._call("GET", "/api/racks/available", list[AvailableRack], floor=floor)

    async def claim(self, rack_id: str, floor: str = "", take_over: bool = False) -> Grant:
        """Claim a rack; asking again gives the same grant."""
        body = Claim(floor=floor, take_over=take_over)
        return await self._call("POST", f"/api/racks/{_in_path(rack_id)}/claim", Grant, body)

    async def release(self, rack_id: str) -> RackChanged:
        """Give a rack back."""
        return await self._call("POST", f"/api/racks/{_in_path(rack_id)}/release", RackChanged)

    async def pause(self, rack_id: str) -> RackStateChanged:
        """Keep a rack for a while without heartbeats."""
        return await self._call("POST", f"/api/racks/{_in_path(rack_id)}/pause", RackStateChanged)

    async def resume(self, rack_id: str) -> RackStateChanged:
        """Go on with a paused rack."""
        return await self._call("POST", f"/api/racks/{_in_path(rack_id)}/resume", RackStateChanged)

    async def session(self, session_id: str) -> Session:
        """One session."""
        return await self._call("GET", f"/api/sessions/{_in_path(session_id)}", Session)

    async def heartbeat(self, session_id: str) -> Heartbeat:
        """Say that this device is alive; the reply says whether the rack is still its own."""
        path = f"/api/sessions/{_in_path(session_id)}/heartbeat"
        return await self._call("POST", path, Heartbeat, told=self._about_queue())

    async def complete(self, session_id: str) -> SessionCompleted:
        """Finish a session and its rack."""
        return await self._call("POST", f"/api/sessions/{_in_path(session_id)}/complete", SessionCompleted)

    async def sync(self, body: bytes) -> SyncReply:
        """Post a batch that is JSON already."""
        return await self._call("POST", "/api/sync/batch", SyncReply, body, self._about_queue())

    async def reachable(self) -> bool:
        """A cheap question without a token: whether the service answers at all."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                await self._exchange.send("GET", "/api/health", dict[str, Any])
        except (Offline, TimeoutError):
            return False
        except StockVerifyError:
            return True
        return True

    async def _call(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: object = None,
        told: Mapping[str, str] = _NOTHING,
        **query: str | None,
    ) -> T:
        """One call with a token; a token that ends soon, or that the service refuses, is renewed once."""
        if self._expires_at is not None and self._monotonic() > self._expires_at - REFRESH_BEFORE_SECONDS:
            await self._refresh(self._login)
        used = self._login
        try:
            return await self._exchange.send(method, path, kind, body, query, {**self._bearer(), **told})
        except LoginNeeded:
            await self._refresh(used)
            return await self._exchange.send(method, path, kind, body, query, {**self._bearer(), **told})

    async def _log_in(self, path: str, body: Request) -> None:
        headers = {"X-Device-Token": self.device_token} if self.device_token else {}
        try:
            reply = await self._exchange.send("POST", path, auth.TokensReply, body, headers=headers)
        except LoginNeeded as error:
            raise WrongLogin(**error.fields) from None
        self._take(reply.data)

    def _bearer(self) -> dict[str, str]:
        if self._login is None:
            raise LoginNeeded(detail="there is no login on this device.")
        return {"Authorization": f"Bearer {self._login.access_token}"}

    async def _refresh(self, used: Login | None) -> None:
        """Renew the login that was used, unless another call has done so meanwhile. Raises LoginNeeded."""
        async with self._refreshing:
            if self._login is None or self._login is not used:
                return
            body = auth.Refresh(refresh_token=self._login.refresh_token)
            try:
                reply = await self._exchange.send("POST", "/api/auth/refresh", auth.TokensReply, body)
            except LoginNeeded:
                self._login, self._expires_at = None, None
                self._keep(None)
                raise
            self._take(reply.data)

    def _take(self, tokens: auth.Tokens) -> None:
        self._login = Login(
            username=tokens.user.username,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            expires_in=tokens.expires_in,
        )
        # A token that lives shorter than the margin would be renewed before each call; a 401 tells then.
        self._expires_at = self._monotonic() + max(tokens.expires_in, 2 * REFRESH_BEFORE_SECONDS)
        self._keep(self._login)


def _in_path(name: str) -> str:
    return quote(name, safe="")
