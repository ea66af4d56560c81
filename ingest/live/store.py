"""Serves live updates to the clients of this process: each gets what it may see, and none waits for another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any, cast

from litestar import WebSocket
from litestar.channels import ChannelsPlugin
from litestar.exceptions import WebSocketDisconnect

from ingest.auth.rules import Caller
from ingest.live.backend import UPDATES
from ingest.live.rules import SUBPROTOCOL, Message, offered_token
from ingest.live.subscriber import Listener
from ingest.metrics import declared
from stockverify.errors import Forbidden, Unauthorized, Unavailable

SEND_SECONDS = 5.0
"""A client that takes longer to take one message is too slow."""
RECHECK_SECONDS = 10.0
"""How often a login is looked at again: one that has ended is cut off within 30 seconds."""
CLOSE_SECONDS = 1.0

Recheck = Callable[[], Awaitable[Caller]]


class Ending(Enum):
    """Why a connection ends; what is told to the client: a close code and a reason."""

    CLIENT_LEFT = (None, "")
    TOO_SLOW = (1013, "You read too slowly; connect again and fetch what you show.")
    LOGIN_ENDED = (4401, "The login has ended; log in, or use the refresh token once.")


class LiveStore:
    """The clients of this process."""

    def __init__(self, channels: ChannelsPlugin) -> None:
        self._channels = channels

    async def serve(self, socket: WebSocket, caller: Caller, recheck: Recheck) -> None:
        """Send what the caller may see, until one side ends it."""
        async with self._listening(caller) as listener:
            offered = offered_token(socket.scope["subprotocols"]) is not None
            await socket.accept(subprotocols=SUBPROTOCOL if offered else None)
            ending = await _first(
                _send(socket, listener), _receive(socket), _overflow(listener), _watch_login(listener, recheck)
            )
        declared.WEBSOCKETS_ENDED.labels(ending.name.lower()).inc()
        await _close(socket, ending)

    @asynccontextmanager
    async def _listening(self, caller: Caller) -> AsyncIterator[Listener]:
        """Listens before the client is accepted, so that whatever it fetches after that it is told changes of."""
        async with self._channels.start_subscription(UPDATES) as subscriber:
            listener = cast(Listener, subscriber)
            listener.caller = caller
            declared.WEBSOCKET_CLIENTS.inc()
            try:
                yield listener
            finally:
                declared.WEBSOCKET_CLIENTS.dec()


async def _first(*works: Awaitable[Ending]) -> Ending:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(socket: WebSocket, listener: Listener) -> Ending:
    async for item in listener.iter_events():
        message = cast(Message, item)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await socket.send_data(message.text, mode="text")
        except TimeoutError:
            return Ending.TOO_SLOW
    return Ending.CLIENT_LEFT


async def _receive(socket: WebSocket) -> Ending:
    """Clients have nothing to say here; what they say is thrown away."""
    while True:
        try:
            message: Any = await socket.receive()
        except WebSocketDisconnect:
            return Ending.CLIENT_LEFT
        if message["type"] == "websocket.disconnect":
            return Ending.CLIENT_LEFT


async def _overflow(listener: Listener) -> Ending:
    await listener.overflowed.wait()
    return Ending.TOO_SLOW


async def _watch_login(listener: Listener, recheck: Recheck) -> Ending:
    """An outage of MongoDB says nothing about a login."""
    while True:
        await asyncio.sleep(RECHECK_SECONDS)
        try:
            listener.caller = await recheck()
        except (Unauthorized, Forbidden):
            return Ending.LOGIN_ENDED
        except Unavailable:
            continue


async def _close(socket: WebSocket, ending: Ending) -> None:
    """A client that reads nothing cannot be told; its connection is cut all the same (ingest/live/sockets.py)."""
    code, reason = ending.value
    if code is None:
        return
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(code, reason)
    except (TimeoutError, WebSocketDisconnect):
        return
