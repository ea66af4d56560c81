"""The leases on racks as the worker sees them. Raises RedisError or OSError while Redis is away."""

import json
from collections.abc import Sequence
from datetime import datetime

from redis import Redis

from stockverify.clients import Document
from stockverify.leases import GIVE_BACK
from stockverify.vocabulary import EventType, RackState, rack_channel, rack_lock_key, session_lock_key

_SECONDS = 30


class Leases:
    """Looks for signs of life, and takes a rack's lease for as long as the rack is given back."""

    def __init__(self, redis: "Redis", holder: str) -> None:
        self._redis, self._holder = redis, holder

    def alive(self, racks: Sequence[str], sessions: Sequence[str]) -> set[str]:
        """Which of these racks somebody holds, and which of these sessions were heard from a moment ago."""
        named = [
            *((rack_lock_key(each), each) for each in racks),
            *((session_lock_key(each), each) for each in sessions),
        ]
        values = self._redis.mget([key for key, _ in named]) if named else []
        return {name for (_, name), value in zip(named, values, strict=True) if value is not None}

    def take(self, rack_id: str) -> bool:
        """Take the lease of a rack that nobody holds, as a counter would, so that no counter gets it meanwhile."""
        return bool(self._redis.set(rack_lock_key(rack_id), self._holder, nx=True, ex=_SECONDS))

    def give_back(self, rack_id: str) -> None:
        """End the worker's own lease."""
        self._redis.eval(GIVE_BACK, 1, rack_lock_key(rack_id), self._holder)

    def tell(self, rack: Document, now: datetime) -> None:
        """A live update, as the service sends it when a counter gives a rack back."""
        channel = rack_channel(rack["_id"])
        data = {"rack_id": rack["_id"], "floor": rack["floor"], "status": RackState.AVAILABLE.value, "session_id": None}
        told = {"type": EventType.RACK_CHANGED.value, "channel": channel, "data": data, "timestamp": now.timestamp()}
        self._redis.publish(channel, json.dumps(told))
