"""One client's place in the stream of live updates."""

import asyncio
from typing import Any

from litestar.channels import Subscriber

from ingest.auth.rules import Caller
from ingest.live.rules import Message, may_see

BACKLOG = 5000
"""Messages that may wait for one client. They are shared by all clients, so that a place costs a pointer."""


class Listener(Subscriber):
    """Takes what its caller may see, and notes when more waits than it may: such a client is dropped."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.caller: Caller | None = None
        self.overflowed = asyncio.Event()

    async def put(self, item: bytes | None) -> None:
        """The end of the stream; one who is behind does not have to be told, and nobody waits for him."""
        self.put_nowait(item)  # type: ignore[arg-type]

    def put_nowait(self, item: Message | None) -> bool:  # type: ignore[override]
        """Queue a message that concerns the caller; never waits."""
        if item is not None and (self.caller is None or not may_see(item, self.caller)):
            return True
        if super().put_nowait(item):  # type: ignore[arg-type]
            return True
        self.overflowed.set()
        return False
