"""One HTTP exchange with the service: bounded, timed, and every failure a named error."""

import asyncio
import gzip
from collections.abc import Mapping
from typing import TypeVar

import httpx
import msgspec

from stockverify.client.backoff import read_retry_after
from stockverify.client.problems import (
    BadAddress,
    LoginNeeded,
    NotTheService,
    Offline,
    ServerBusy,
    ServerFailed,
    ServiceRefused,
    TooSlow,
)
from stockverify.errors import StockVerifyError

T = TypeVar("T")

TIMEOUT = httpx.Timeout(20.0, connect=5.0)
"""Patience for one step of a call: to connect, to send a piece, to receive a piece."""

CALL_SECONDS = 60.0
"""Patience for a whole call, so that a reply that trickles in does not hold a batch for ever."""

GZIP_ABOVE = 1024
"""Smaller bodies travel plain: the saving would be less than a packet."""

MAX_REPLY = 32 * 1024 * 1024
"""A larger reply is no reply of the service."""

_RESTING = (429, 502, 503, 504)


class Exchange:
    """Sends requests of one device; the client may be shared by many."""

    def __init__(self, client: httpx.AsyncClient, base_url: str, device_id: str) -> None:
        """Raises BadAddress."""
        self._client, self._url, self._device_id = client, checked_address(base_url), device_id

    async def send(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: object = None,
        query: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """The decoded reply. Raises Offline, ServerBusy, ServerFailed, LoginNeeded or ServiceRefused."""
        content, about = encoded(body)
        given = {name: value for name, value in (query or {}).items() if value is not None}
        all_headers = {"X-Device-ID": self._device_id, "Accept": "application/json", **about, **(headers or {})}
        reply, text = await self._receive(method, path, content, given, all_headers)
        if error := problem(reply.status_code, reply.headers, text, self._url):
            raise error
        try:
            return msgspec.json.decode(text, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise NotTheService(url=self._url, reason=f"its reply makes no sense: {str(error)[:120]}") from None

    async def _receive(
        self, method: str, path: str, content: bytes | None, query: dict[str, str], headers: dict[str, str]
    ) -> tuple[httpx.Response, bytes]:
        url = self._url + path
        text = bytearray()
        try:
            async with (
                asyncio.timeout(CALL_SECONDS),
                self._client.stream(
                    method, url, content=content, params=query, headers=headers, follow_redirects=False
                ) as reply,
            ):
                async for chunk in reply.aiter_bytes():
                    text += chunk
                    if len(text) > MAX_REPLY:
                        raise NotTheService(url=self._url, reason="its reply does not end")
        except (httpx.ReadTimeout, httpx.WriteTimeout, TimeoutError) as error:
            raise TooSlow(url=self._url, reason=type(error).__name__) from None
        except httpx.HTTPError as error:
            raise Offline(url=self._url, reason=str(error) or type(error).__name__) from None
        return reply, bytes(text)


def problem(status: int, headers: Mapping[str, str], text: bytes, url: str) -> StockVerifyError | None:
    """The error that a status stands for; None for a success. Only problem+json is the service's own refusal."""
    if 200 <= status < 300:
        return None
    detail = _detail(text)
    if status == 401:
        return LoginNeeded(detail=detail or "the service does not know the login any more.")
    if status in _RESTING:
        wait = read_retry_after(headers.get("Retry-After"), headers.get("Date"))
        return ServerBusy(status=status, detail=detail or "It gave no reason.", retry_after=wait)
    if status >= 500:
        return ServerFailed(status=status, detail=detail or "It gave no reason.")
    ours = headers.get("Content-Type", "").startswith("application/problem+json")
    if ours or status == 413:
        return ServiceRefused(status=status, detail=detail or "It gave no reason.")
    return NotTheService(url=url, reason=f"it answered with status {status}")


def encoded(body: object) -> tuple[bytes | None, dict[str, str]]:
    """A body as it travels, and the headers that say so: JSON, gzipped when that saves something."""
    if body is None:
        return None, {}
    plain = body if isinstance(body, bytes) else msgspec.json.encode(body)
    headers = {"Content-Type": "application/json"}
    if len(plain) > GZIP_ABOVE and len(packed := gzip.compress(plain, compresslevel=5, mtime=0)) < len(plain):
        return packed, headers | {"Content-Encoding": "gzip"}
    return plain, headers


def checked_address(url: str) -> str:
    """The address without a slash at its end. Raises BadAddress."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL:
        raise BadAddress(url=url) from None
    known = parsed.scheme in ("http", "https") and parsed.host and (parsed.port or 0) < 65536
    if not known or parsed.query or parsed.fragment:
        raise BadAddress(url=url)
    return str(parsed).rstrip("/")


def _detail(text: bytes) -> str:
    try:
        return msgspec.json.decode(text[:65536], type=_Problem).detail[:500]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


class _Problem(msgspec.Struct):
    detail: str = ""
