"""`python -m ingest` runs the HTTP service with the settings of the environment."""

import os
import socket
import sys

import uvicorn

from ingest.metrics import folder
from stockverify import logs
from stockverify.environment import from_env
from stockverify.errors import SetupError
from stockverify.settings import Settings

KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep an idle connection (5 seconds and 15 are common): who hangs up last never sends into a
connection that is just being closed. With 5 seconds on both sides, 4 of 27,000 requests were lost that way."""


class CannotListen(SetupError):
    """The service cannot listen on {bind}, port {port}: {reason}. Choose others with STOCKVERIFY_BIND and
    STOCKVERIFY_API_PORT."""


def main() -> int:
    """Serve until SIGTERM; finish what was accepted before ending."""
    try:
        settings = from_env(os.environ)
        listener = listen(settings)
    except SetupError as error:
        print(error.message, file=sys.stderr)
        return 2
    logs.configure(settings.log_level)
    folder.use(settings.metrics)
    from ingest.app import create_service  # noqa: PLC0415 - what it imports looks for the folder of the metrics at once
    from ingest.live import sockets  # noqa: PLC0415

    config = uvicorn.Config(
        create_service(settings),
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        server_header=False,
        timeout_graceful_shutdown=10,
        ws=sockets.BoundedProtocol,
        ws_max_size=sockets.MAX_MESSAGE,
        ws_ping_interval=sockets.PING_SECONDS,
        ws_ping_timeout=sockets.PONG_SECONDS,
        ws_per_message_deflate=False,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    return 0 if server.started else 3


def listen(settings: Settings) -> socket.socket:
    """The socket to serve. Several processes may each have one on the same port; the kernel spreads connections."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.bind else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.service_processes > 1:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((settings.bind, settings.api_port))
    except OSError as error:
        raise CannotListen(bind=settings.bind, port=settings.api_port, reason=error.strerror) from None
    return listener


if __name__ == "__main__":
    sys.exit(main())
