"""Request bodies arrive plain, gzip or zstd encoded; decoding stops at a limit, so that a bomb costs little memory."""

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
_STEP = 256 * 1024


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
    pending = body
    while pending:  # a body may consist of several members
        decoder = zlib.decompressobj(wbits=31)
        while not decoder.eof:
            chunk = decoder.decompress(pending, _STEP)
            pending = decoder.unconsumed_tail
            if not chunk and not pending and not decoder.eof:
                raise EOFError("it ends too early")
            yield chunk
        pending = decoder.unused_data


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

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        encoding = encoding_of(scope)
        if scope["type"] != ScopeType.HTTP or not encoding:
            await app(scope, receive, send)
            return
        encoded, decoded_limit = (MAX_ENCODED, MAX_DECODED) if scope.get("user") else (MAX_STRANGE, MAX_STRANGE)
        plain = decode(await read(receive, encoded), encoding, decoded_limit)
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
