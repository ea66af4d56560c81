"""A TCP proxy of the tests: it is slow, loses replies, cuts requests and resets connections, as bad networks do."""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

_CHUNK = 64 * 1024
_RESET = struct.pack("ii", 1, 0)
"""The linger option under which closing a socket sends RST instead of FIN."""


class Mishaps(NamedTuple):
    """What goes wrong. `lose_reply` and `cut_request` are chances for each request, `reset` for each piece of data."""

    latency: float = 0.0
    lose_reply: float = 0.0
    cut_request: float = 0.0
    reset: float = 0.0
    bytes_per_second: float | None = None


class _Broken(Exception):
    """This connection is reset, on both sides."""


class Proxy:
    """Listens on a port of its own; `mishaps` may be changed at any time, `seen` counts what went wrong."""

    def __init__(self, target: int, seed: int = 0, mishaps: Mishaps | None = None) -> None:
        self.mishaps, self.seen = mishaps or Mishaps(), Counter[str]()
        self.port = 0
        self._target, self._rng = target, random.Random(seed)
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), name="proxy")

    def start(self) -> None:
        """Return once it listens."""
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        """Reset every connection and end."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def drop(self) -> None:
        """Reset all connections that are open now."""
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._connections])

    async def _serve(self) -> None:
        connections = self._connections

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._carry(reader, writer))
            connections.add(task)
            task.add_done_callback(connections.discard)

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it or a mishap does."""
        try:
            upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        waiting = asyncio.Event()  # a request has passed whose reply has not come yet
        ways = (self._requests(reader, upstream, waiting), self._replies(upstream_reader, writer, waiting))
        tasks = [asyncio.ensure_future(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            _reset(writer)
            _reset(upstream)

    async def _requests(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, waiting: asyncio.Event) -> None:
        while data := await reader.read(_CHUNK):
            if not waiting.is_set() and self._happens("cut_request", self.mishaps.cut_request):
                await self._pass(data[: len(data) // 2], out)
                raise _Broken
            waiting.set()
            await self._pass(data, out)

    async def _replies(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, waiting: asyncio.Event) -> None:
        while data := await reader.read(_CHUNK):
            if waiting.is_set() and self._happens("lose_reply", self.mishaps.lose_reply):
                raise _Broken  # the service has answered, so what it answered for is stored
            waiting.clear()
            await self._pass(data, out)

    async def _pass(self, data: bytes, out: asyncio.StreamWriter) -> None:
        if self._happens("reset", self.mishaps.reset):
            raise _Broken
        rate = self.mishaps.bytes_per_second
        await asyncio.sleep(self.mishaps.latency + (len(data) / rate if rate else 0.0))
        out.write(data)
        await out.drain()

    def _happens(self, what: str, chance: float) -> bool:
        if self._rng.random() >= chance:
            return False
        self.seen[what] += 1
        return True


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


@contextmanager
def proxy(target: int, seed: int = 0, mishaps: Mishaps | None = None) -> Iterator[Proxy]:
    """A proxy in front of a port of this machine, until the end of the block."""
    started = Proxy(target, seed, mishaps)
    started.start()
    try:
        yield started
    finally:
        started.stop()
