"""Clients of live updates for tests: one that listens, and one that does not."""

import json
import os
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.service import Service


class Listening:
    """A connection that takes every message."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def next(self, seconds: float = 10) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any] = json.loads(self.connection.recv(seconds))
        return message

    def until(self, kind: str, seconds: float = 10, **data: Any) -> dict[str, Any]:
        """The first message of a type whose data has these values; the others are thrown away."""
        deadline = time.monotonic() + seconds
        while True:
            message = self.next(max(deadline - time.monotonic(), 0.01))
            if message["type"] == kind and data.items() <= message["data"].items():
                return message

    def close_code(self, seconds: float) -> int | None:
        """The code with which the service ends the connection."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self.connection.recv(max(deadline - time.monotonic(), 0.01))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


def token_of(client: httpx.Client) -> str:
    """The access token that a logged-in client carries."""
    return client.headers["Authorization"].removeprefix("Bearer ")


def address(service: Service) -> str:
    """Where live updates are."""
    return service.url.replace("http://", "ws://") + "/ws/updates"


@contextmanager
def listening(service: Service, client: httpx.Client) -> Iterator[Listening]:
    """Listen as the person of an HTTP client."""
    headers = {"Authorization": client.headers["Authorization"]}
    with connect(address(service), additional_headers=headers, proxy=None, max_queue=None) as connection:
        yield Listening(connection)


@contextmanager
def deaf(service: Service, client: httpx.Client) -> Iterator[socket.socket]:
    """Connect with a small buffer, and then read nothing at all."""
    host, port = "127.0.0.1", service.settings.api_port
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect((host, port))
        lines = (
            "GET /ws/updates HTTP/1.1",
            f"Host: {host}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: jwt, {token_of(client)}",
        )
        raw.sendall("\r\n".join([*lines, "", ""]).encode())
        assert raw.recv(12) == b"HTTP/1.1 101"
        yield raw


def metric(service: Service, name: str, **labels: str) -> float | None:
    """A value of /metrics, None when it is absent."""
    for line in httpx.get(f"{service.url}/metrics").text.splitlines():
        head, _, value = line.rpartition(" ")
        found, _, inside = head.partition("{")
        wanted = {f'{key}="{each}"' for key, each in labels.items()}
        if found == name and wanted <= set(inside.rstrip("}").split(",")):
            return float(value)
    return None


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
