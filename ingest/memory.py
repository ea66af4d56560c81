"""Room in memory for large request bodies: who needs much of it waits until others have given theirs back."""

import asyncio

from stockverify.errors import Unavailable

QUEUE_SECONDS = 15.0
"""Shorter than the patience of a device, which is 20 seconds."""


class BodiesWait(Unavailable):
    """Many large bodies arrive at this moment. Try again in {retry_after} seconds, or send smaller batches."""


class Room:
    """The bytes that the large bodies of one process may take together. First come, first served."""

    def __init__(self, size: int, queue_seconds: float = QUEUE_SECONDS) -> None:
        self._free, self._queue_seconds = size, queue_seconds
        self._turn, self._freed = asyncio.Lock(), asyncio.Event()

    async def take(self, size: int) -> None:
        """Wait until there is as much room. Raises BodiesWait."""
        try:
            async with asyncio.timeout(self._queue_seconds), self._turn:
                while self._free < size:
                    self._freed.clear()
                    await self._freed.wait()
                self._free -= size
        except TimeoutError:
            raise BodiesWait(service="Memory") from None

    def give_back(self, size: int) -> None:
        """Let those who wait have it."""
        self._free += size
        self._freed.set()


class Share:
    """What one request takes of the room. It takes once: whoever waits holds nothing, so that nobody waits for ever."""

    def __init__(self, room: Room) -> None:
        self._room, self.taken = room, 0

    async def take(self, size: int) -> None:
        """Take as much, unless something is taken already. Raises BodiesWait."""
        if not self.taken:
            await self._room.take(size)
            self.taken = size

    def keep(self, size: int) -> None:
        """Give back what is more than that."""
        if size < self.taken:
            self._room.give_back(self.taken - size)
            self.taken = size
