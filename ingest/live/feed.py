"""Tells whoever listens what has just happened. Telling never waits, and never makes the work that it tells of fail."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from stockverify.vocabulary import EventType

Publish = Callable[[dict[str, Any], str], None]
"""Hands a message to a channel without waiting."""


class Feed:
    """Live updates, as the stores send them out once their writes are durable."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish

    def tell(self, kind: EventType, channel: str, now: datetime, **data: Any) -> None:
        """Send one message: `type`, `channel`, `data` and `timestamp` in Unix seconds."""
        message = {"type": kind.value, "channel": channel, "data": data, "timestamp": now.timestamp()}
        self._publish(message, channel)
