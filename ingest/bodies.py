"""Request bodies arrive plain, gzip or zstd encoded; decoding stops at a limit, so that a bomb costs little memory."""

import asyncio
import zlib
from collections.abc import Iterable, Iterator

import zstandard
from litestar.enums import ScopeType
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    HTTPRequestEvent,
    Receive,
    Scope,
    Send,
    WebSocketReceiveMessage,
)

from stockverify.errors import BadInput, TooLarge

MAX_ENCODED = 8 * 1024 * 1024
MAX_DECODED = 64 * 1024 * 1024
MAX_STRANGE = 64 * 1024
MAX_MEMBERS = 1000
_PIECE = 1024
_STEP = 256 * 1024
_LARGE = 64 * 1024
"""A body above this is decoded in a thread, so that heartbeats of others do not wait for it."""


class BodyTooLarge(TooLarge):
    """The request body is larger than {limit} bytes; send smaller batches."""


class BodyUnreadable(BadInput):
    """The request body is not what its Content-Encoding says: {reason}. Send gzip, zstd or no encoding."""


def decode(body: bytes, encoding: str, limit: int = MAX_DECODED) -> bytes:
    """The plain bytes of a body. Raises BodyTooLarge or BodyUnreadable."""
    try:
        return _joined(_gunzip(body) if encoding in ("gzip", "x-gzip") else _unzstd(body, encoding), limit)
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise BodyUnreadable(reason=str(error)) from None


def _joined(chunks: Iterator[bytes], limit: int) -> bytes:
    plain = bytearray()
    for chunk in chunks:
        plain += chunk
        if len(plain) > limit:
            raise BodyTooLarge(limit=limit)
    return bytes(plain)


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
    values = [value for name, value in scope.get("headers", []) if name == b"content-encoding"]
    text = values[0].decode("latin-1").strip().lower() if values else ""
    return "" if text == "identity" else text


async def read(receive: Receive, limit: int) -> bytes:
    """The whole body as it came. Raises BodyTooLarge as soon as the limit is passed."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise BodyUnreadable(reason="the connection ended before the body did")
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLarge(limit=limit)
        if not message.get("more_body", False):
            return bytes(body)


def decoded(app: ASGIApp) -> ASGIApp:
    """Middleware: what is behind it sees plain bytes only. Strangers get a small limit, callers the full one."""
    one_at_a_time = asyncio.Semaphore()  # so that several bombs at once take no more memory than one

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        encoding = encoding_of(scope)
        if scope["type"] != ScopeType.HTTP or not encoding:
            await app(scope, receive, send)
            return
        encoded, decoded_limit = (MAX_ENCODED, MAX_DECODED) if scope.get("user") else (MAX_STRANGE, MAX_STRANGE)
        packed = await read(receive, encoded)
        if len(packed) > _LARGE:
            async with one_at_a_time:
                plain = await asyncio.to_thread(decode, packed, encoding, decoded_limit)
        else:
            plain = decode(packed, encoding, decoded_limit)
        scope["headers"] = _as_plain(scope["headers"], len(plain))
        await app(scope, _replay(plain, receive), send)

    return run


def _as_plain(headers: Iterable[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name not in (b"content-encoding", b"content-length")]
    return [*kept, (b"content-length", str(length).encode())]


def _replay(plain: bytes, receive: Receive) -> Receive:
    pending: list[HTTPRequestEvent] = [{"type": "http.request", "body": plain, "more_body": False}]

    async def again() -> HTTPReceiveMessage | WebSocketReceiveMessage:
        return pending.pop() if pending else await receive()

    return again
