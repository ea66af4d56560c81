"""Live updates between processes: Redis Pub/Sub behind Litestar's channels.

In Redis each rack and each session has a channel of its own, with plain JSON on it, so that other programs can listen
and speak too. Each process subscribes once, to all of them, and hands them to its clients through one Litestar channel.
Nothing here waits for Redis on behalf of a request: messages that Redis cannot take are dropped and counted.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from litestar.channels import ChannelsBackend, ChannelsPlugin
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from ingest.live.rules import Message, read, resync
from ingest.live.subscriber import BACKLOG, Listener
from ingest.metrics import declared
from stockverify.vocabulary import LIVE_CHANNELS

UPDATES = "updates"
"""The one Litestar channel that all clients are on."""
MAX_UNPUBLISHED = 10_000
_AT_ONCE = 200
_TURN = 50
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_QUIET_SECONDS = 5.0
_TROUBLES = (RedisError, OSError, TimeoutError)
_log = structlog.get_logger("ingest.live")


def live_channels(publisher: "Redis", listener: "Redis") -> ChannelsPlugin:
    """Litestar's channels over Redis; they work until the end of their context."""
    return ChannelsPlugin(
        RedisBackend(publisher, listener),
        channels=[UPDATES],
        subscriber_class=Listener,
        subscriber_max_backlog=BACKLOG,
    )


class RedisBackend(ChannelsBackend):
    """`publisher` has short time limits; `listener` has a connection of its own that may be silent for long."""

    def __init__(self, publisher: "Redis", listener: "Redis") -> None:
        self._publisher, self._listener = publisher, listener
        self._unpublished: deque[tuple[str, bytes]] = deque()
        self._more = asyncio.Event()
        self._publishing: asyncio.Task[None] | None = None

    async def on_startup(self) -> None:
        """Begin to publish."""
        self._publishing = asyncio.create_task(self._publish_for_ever())

    async def on_shutdown(self) -> None:
        """Publish what waits, as far as Redis takes it at once."""
        if self._publishing is not None:
            self._publishing.cancel()
            with suppress(asyncio.CancelledError):
                await self._publishing
        if self._unpublished:
            await self._publish_some()

    async def publish(self, data: bytes, channels: Iterable[str]) -> None:
        """Have a message published soon; drop it when too many wait. Never waits, never fails."""
        for channel in channels:
            if len(self._unpublished) < MAX_UNPUBLISHED:
                self._unpublished.append((channel, data))
            else:
                declared.LIVE_MESSAGES.labels("unpublished").inc()
        self._more.set()

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Nothing to do: this process hears all channels."""

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Nothing to do: this process hears all channels."""

    async def get_history(self, channel: str, limit: int | None = None) -> list[bytes]:
        """There is none: clients fetch what they show."""
        return []

    async def stream_events(self) -> AsyncGenerator[tuple[str, Any], None]:
        """All messages for ever; after each gap in hearing them a word that some may have been missed."""
        pause = _FIRST_PAUSE
        while True:
            try:
                async for message in self._heard():
                    pause = _FIRST_PAUSE
                    yield UPDATES, message
            except _TROUBLES as error:
                _log.warning("live_updates_wait", reason=str(error)[:200], seconds=round(pause, 1))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _heard(self) -> AsyncIterator[Message]:
        """One subscription, for as long as it lasts."""
        pubsub = self._listener.pubsub()
        try:
            await pubsub.psubscribe(*LIVE_CHANNELS)
            for _ in LIVE_CHANNELS:  # from then on nothing is missed
                await _expect(pubsub)
            declared.LIVE_CONNECTED.set(1)
            yield resync(datetime.now(UTC))
            async for message in _messages(pubsub):
                yield message
        finally:
            declared.LIVE_CONNECTED.set(0)
            with suppress(*_TROUBLES):
                await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _publish_for_ever(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._unpublished:
                await self._publish_some()

    async def _publish_some(self) -> None:
        """Many messages in one round trip. While Redis is away they are dropped: clients fetch all when it is back."""
        some = [self._unpublished.popleft() for _ in range(min(_AT_ONCE, len(self._unpublished)))]
        pipe = self._publisher.pipeline(transaction=False)
        for channel, data in some:
            pipe.publish(channel, data)
        fate = "published"
        try:
            await pipe.execute()
        except _TROUBLES as error:
            fate = "unpublished"
            _log.warning("live_updates_dropped", messages=len(some), reason=str(error)[:200])
        declared.LIVE_MESSAGES.labels(fate).inc(len(some))


async def _messages(pubsub: "PubSub") -> AsyncIterator[Message]:
    """What arrives. A connection that is silent for long is asked whether it is alive; one that is not, ends it."""
    asked = False
    count = 0
    while True:
        heard = await pubsub.get_message(timeout=_QUIET_SECONDS)
        if heard is None and asked:
            raise TimeoutError("Redis is silent")
        if heard is None:
            await pubsub.ping()
        asked = heard is None
        if heard and heard["type"] == "pmessage" and (message := _read(heard)):
            yield message
            count += 1
            if not count % _TURN:  # a burst must not keep the clients from being served
                await asyncio.sleep(0)


def _read(heard: dict[str, Any]) -> Message | None:
    message = read(heard["channel"], heard["data"])
    declared.LIVE_MESSAGES.labels("received" if message else "unreadable").inc()
    return message


async def _expect(pubsub: "PubSub") -> None:
    heard = await pubsub.get_message(timeout=_QUIET_SECONDS)
    if heard is None or heard["type"] != "psubscribe":
        raise TimeoutError("Redis does not answer a subscription")
