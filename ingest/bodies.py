"""Request bodies arrive plain, gzip or zstd encoded, and are whole and plain before anything else is done.

Decoding stops at a limit, so that a bomb costs little memory, and large bodies share the room that there is for them
(docs/decisions/0045). The time in which MongoDB must answer begins when the body is there: devices on a slow network
would otherwise be told of an outage, and so would everybody else.
"""

import asyncio
import gc
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO

import zstandard
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    HTTPRequestEvent,
    Receive,
    Scope,
    Send,
    WebSocketReceiveMessage,
)
from litestar.types.empty import Empty
from litestar.utils.scope.state import ScopeState

from ingest.memory import Room, Share
from stockverify.errors import BadInput, TooLarge, Unavailable

MAX_ENCODED = 8 * 1024 * 1024
MAX_DECODED = 64 * 1024 * 1024
MAX_STRANGE = 64 * 1024
MAX_MEMBERS = 1000
_PIECE = 1024
_STEP = 256 * 1024
_LARGE = 64 * 1024
"""A body above this is decoded in a thread, so that heartbeats of others do not wait for it."""
SMALL = 1024 * 1024
"""Bodies up to this need no room: every batch of our own client, whoever else sends what."""
ARRIVAL_SECONDS = 120.0
STREAMED = {"streams_its_body": True}
"""The options of handlers that take their body in pieces, and keep none of them."""


class BodyTooLarge(TooLarge):
    """The request body is larger than {limit} bytes; send smaller batches."""


class BodyTooSlow(Unavailable):
    """The request body was not there in time. Try again in {retry_after} seconds, or send smaller batches."""


class BodyUnreadable(BadInput):
    """The request body is not what its Content-Encoding says: {reason}. Send gzip, zstd or no encoding."""


def decode(body: bytes, encoding: str, limit: int = MAX_DECODED) -> bytes:
    """The plain bytes of a body. Raises BodyTooLarge or BodyUnreadable."""
    try:
        return _joined(_gunzip(body) if encoding in ("gzip", "x-gzip") else _unzstd(body, encoding), limit)
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise BodyUnreadable(reason=str(error)) from None


def _joined(chunks: Iterator[bytes], limit: int) -> bytes:
    plain = BytesIO()  # it gives what is in it without a copy
    for chunk in chunks:
        if plain.tell() + len(chunk) > limit:
            raise BodyTooLarge(limit=limit)
        plain.write(chunk)
    return plain.getvalue()


def _gunzip(body: bytes) -> Iterator[bytes]:
    """A body may consist of several members. They are read in small pieces, because zlib copies what is left over."""
    rest, members = memoryview(body), 0
    while rest:
        members += 1
        if members > MAX_MEMBERS:
            raise BodyUnreadable(reason=f"it has more than {MAX_MEMBERS} members")
        decoder, size = zlib.decompressobj(wbits=31), _PIECE
        while not decoder.eof:
            piece = rest[:size]
            chunk = decoder.decompress(piece, _STEP)
            left = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
            rest = rest[len(piece) - len(left) :]
            if not chunk and not rest and not decoder.eof:
                raise EOFError("it ends too early")
            size = _STEP
            yield chunk


def _unzstd(body: bytes, encoding: str) -> Iterator[bytes]:
    if encoding != "zstd":
        raise BodyUnreadable(reason=f"the encoding {encoding[:40]!r} is not supported")
    decoder = zstandard.ZstdDecompressor(max_window_size=MAX_DECODED).stream_reader(body, read_across_frames=True)
    while chunk := decoder.read(_STEP):
        yield chunk


def encoding_of(scope: Scope) -> str:
    """The Content-Encoding of a request, in lower case, empty for none."""
    text = (_header(scope, b"content-encoding") or "").strip().lower()
    return "" if text == "identity" else text


def length_of(scope: Scope) -> int | None:
    """The length of the body as the request announces it, None for one that comes in pieces."""
    text = _header(scope, b"content-length") or ("" if _header(scope, b"transfer-encoding") else "0")
    return int(text[:20]) if text.isdecimal() else None


def _header(scope: Scope, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in scope.get("headers", []) if name == wanted), None)


async def read(receive: Receive, limit: int, share: Share, size: int) -> bytes:
    """The whole body as it came; once it is large, the share is of `size`. Raises BodyTooLarge as soon as the limit is
    passed, BodyTooSlow, BodyUnreadable or BodiesWait."""
    body = BytesIO()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise BodyUnreadable(reason="the connection ended before the body did")
        body.write(message.get("body", b""))
        if body.tell() > limit:
            raise BodyTooLarge(limit=limit)
        if not message.get("more_body", False):
            return body.getvalue()
        if body.tell() > SMALL:
            await share.take(size)


def decoded(app: ASGIApp) -> ASGIApp:
    """Middleware: what is behind it sees whole, plain bodies. Strangers get a small limit, callers the route's own."""
    room = Room(MAX_DECODED)

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or length_of(scope) == 0 or _is_streamed(scope):
            await app(scope, receive, send)
            return
        share = Share(room)
        try:
            whole = await _whole(scope, receive, share)
            await app(scope, whole, send)
        finally:
            _forget(scope)
            if share.taken:
                gc.collect()  # an error holds its request, and that its body, in a circle
            share.keep(0)

    return run


def _forget(scope: Scope) -> None:
    """A connection that rests keeps the scope of its last request, and with it the body, were it not for this."""
    state = ScopeState.from_scope(scope)
    state.body = state.json = state.form = Empty


def _is_streamed(scope: Scope) -> bool:
    return bool(scope["route_handler"].opt.get("streams_its_body")) and not encoding_of(scope)


async def _whole(scope: Scope, receive: Receive, share: Share) -> Receive:
    """The body of a request as if it had come plain and in one piece."""
    encoding, limit = encoding_of(scope), _limit(scope)
    sent = min(limit, MAX_ENCODED) if encoding else limit
    announced = length_of(scope)
    if announced is not None and announced > sent:
        raise BodyTooLarge(limit=sent)
    try:
        async with asyncio.timeout(ARRIVAL_SECONDS):
            body = await read(receive, sent, share, limit if encoding or announced is None else announced)
    except TimeoutError:
        raise BodyTooSlow(service="The device") from None
    if encoding:
        body = await _unpacked(body, encoding, limit, share)
        scope["headers"] = _as_plain(scope["headers"], len(body))
    share.keep(len(body))
    ScopeState.from_scope(scope).body = body  # Litestar would make a copy of what it receives, to keep it here
    return _replay(body, receive)


def _limit(scope: Scope) -> int:
    handler = scope["route_handler"]
    allowed = handler.resolve_request_max_body_size() if isinstance(handler, HTTPRouteHandler) else None
    return min(allowed or MAX_DECODED, MAX_DECODED if scope.get("user") else MAX_STRANGE)


async def _unpacked(packed: bytes, encoding: str, limit: int, share: Share) -> bytes:
    """Decoded at once if it is small that way, else in a thread, and in the room for large ones."""
    if len(packed) <= _LARGE:
        try:
            return decode(packed, encoding, min(limit, SMALL))
        except BodyTooLarge:
            if limit <= SMALL:
                raise
    await share.take(limit)
    return await asyncio.to_thread(decode, packed, encoding, limit)


def _as_plain(headers: Iterable[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name not in (b"content-encoding", b"content-length")]
    return [*kept, (b"content-length", str(length).encode())]


def _replay(plain: bytes, receive: Receive) -> Receive:
    pending: list[HTTPRequestEvent] = [{"type": "http.request", "body": plain, "more_body": False}]

    async def again() -> HTTPReceiveMessage | WebSocketReceiveMessage:
        return pending.pop() if pending else await receive()

    return again
