"""Who may connect: the token is checked before the connection is accepted, and refusals are problem+json."""

import msgspec
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from ingest.live.rules import offered_token
from ingest.problems import describe


def credentials(connection: ASGIConnection) -> str | None:
    """The Authorization header, or what stands for it in the handshake of a WebSocket."""
    header = connection.headers.get("Authorization")
    if header is None and connection.scope["type"] == ScopeType.WEBSOCKET:
        token = offered_token(connection.scope["subprotocols"])
        return f"Bearer {token}" if token else None
    return header


def refused_politely(app: ASGIApp) -> ASGIApp:
    """Middleware: a WebSocket that is refused before it was accepted gets the HTTP status and the detail of why."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.WEBSOCKET:
            await app(scope, receive, send)
            return
        begun = False

        async def note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, note)
        except Exception as error:
            if begun:
                raise
            await _refuse(error, send)

    return run


async def _refuse(error: Exception, send: Send) -> None:
    problem = describe(error)
    told = {"status": problem.status_code, "type": problem.type_, "title": problem.title, "detail": problem.detail}
    headers = {"content-type": "application/problem+json", **(problem.headers or {})}
    encoded = [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
    await send({"type": "websocket.http.response.start", "status": problem.status_code, "headers": encoded})
    await send({"type": "websocket.http.response.body", "body": msgspec.json.encode(told), "more_body": False})
