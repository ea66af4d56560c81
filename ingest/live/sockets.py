"""The server's side of a WebSocket connection, with an end that does not depend on the client."""

import logging

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

FLUSH_SECONDS = 2.0
"""For what was written and not yet taken, such as the close frame."""
PING_SECONDS = 20.0
PONG_SECONDS = 20.0
MAX_MESSAGE = 16 * 1024
"""Clients have nothing to say."""


class BoundedProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol closes politely: it first delivers what is written. A client that has stopped reading would
    keep its connection, and the shutdown of the service, waiting for ever. This one gives it two seconds."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        # its info lines hold query strings, which may hold anything
        self.logger = logging.getLogger("ingest.websocket")
        self.logger.setLevel(logging.WARNING)

    async def run_asgi(self) -> None:
        """Serve, and cut the connection soon after its handler has ended."""
        try:
            await super().run_asgi()
        finally:
            self._cut_later()

    def shutdown(self) -> None:
        """The service stops: say so (1012), and do not wait for clients that do not listen."""
        super().shutdown()
        self._cut_later()

    def keepalive_timeout(self) -> None:
        """The client has vanished: nothing can be delivered to it any more."""
        super().keepalive_timeout()
        self.transport.abort()

    def _cut_later(self) -> None:
        self.loop.call_later(FLUSH_SECONDS, self.transport.abort)
