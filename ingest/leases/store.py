"""Leases in Redis: at most one session holds a rack, for as long as its device is heard from.

The value of a lease is the id of the session that holds it. A lease is taken with SET NX PX, and renewed, replaced or
released only by its holder, atomically. A TTL is replaced, never added to. Losing Redis loses leases, not safety:
the fence in MongoDB guards every write.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple

from redis.asyncio import Redis

from ingest.auth.rules import Caller
from ingest.metrics import observe
from stockverify.breaker import Breaker
from stockverify.errors import Unavailable
from stockverify.leases import GIVE_BACK
from stockverify.vocabulary import LIVE_DEVICES_KEY, rack_lock_key, session_lock_key, user_heartbeat_key

_RENEW = """
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 1 end
if holder then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 2
"""
_REPLACE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class Lease(NamedTuple):
    """Who holds a rack, and for how much longer."""

    session_id: str
    milliseconds: int


class LeaseStore:
    """The leases on racks and the presence of people. Raises Unavailable while Redis is away."""

    def __init__(self, redis: "Redis", breaker: Breaker) -> None:
        self._redis, self.breaker = redis, breaker

    async def take(self, rack_id: str, session_id: str, seconds: int) -> bool:
        """Take a free rack."""
        key = rack_lock_key(rack_id)
        taken = bool(await self._call(lambda: self._redis.set(key, session_id, nx=True, px=seconds * 1000)))
        return _counted(taken, "granted")

    async def renew(self, rack_id: str, session_id: str, seconds: int) -> bool:
        """Keep the rack, or take it back when nobody took it since; False when somebody else holds it."""
        kept = await self._script(_RENEW, rack_id, session_id, str(seconds * 1000))
        return _counted(kept > 0, "renewed" if kept == 1 else "taken_back")

    async def release(self, rack_id: str, session_id: str) -> bool:
        """Give the rack back, if this session holds it. While Redis is away the lease ends by itself instead."""
        try:
            return _counted(bool(await self._script(GIVE_BACK, rack_id, session_id)), "released")
        except Unavailable:
            return False

    async def replace(self, rack_id: str, old: str, new: str, seconds: int) -> bool:
        """Hand the rack from one session to another; False when a third one holds it."""
        replaced = await self._script(_REPLACE, rack_id, old, new, str(seconds * 1000))
        return _counted(bool(replaced), "taken_over")

    async def holder(self, rack_id: str) -> Lease | None:
        """The lease on a rack."""
        key = rack_lock_key(rack_id)
        pipe = self._redis.pipeline(transaction=True)
        pipe.get(key)
        pipe.pttl(key)
        session_id, milliseconds = await self._call(pipe.execute)
        return Lease(session_id, milliseconds) if session_id else None

    async def held(self, rack_ids: list[str]) -> set[str]:
        """Which of these racks somebody holds."""
        if not rack_ids:
            return set()
        values = await self._call(lambda: self._redis.mget([rack_lock_key(rack_id) for rack_id in rack_ids]))
        return {rack_id for rack_id, value in zip(rack_ids, values, strict=True) if value}

    async def alive(self, session_ids: list[str]) -> set[str]:
        """Which of these sessions' devices were heard from within HEARTBEAT_TTL."""
        if not session_ids:
            return set()
        values = await self._call(lambda: self._redis.mget([session_lock_key(each) for each in session_ids]))
        return {each for each, value in zip(session_ids, values, strict=True) if value is not None}

    async def mark_present(
        self, caller: Caller, session_id: str, rack_id: str | None, now: datetime, seconds: int
    ) -> None:
        """Remember that this person's device was heard from."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.set(user_heartbeat_key(caller.user_id), session_id, px=seconds * 1000)
        pipe.set(session_lock_key(session_id), rack_id or "", px=seconds * 1000)
        pipe.zadd(LIVE_DEVICES_KEY, {f"{caller.user_id}/{caller.device_id}": now.timestamp() + seconds})
        pipe.expire(LIVE_DEVICES_KEY, seconds)
        await self._call(pipe.execute)

    async def live_devices(self, now: datetime) -> int:
        """How many devices were heard from within HEARTBEAT_TTL."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.zremrangebyscore(LIVE_DEVICES_KEY, "-inf", now.timestamp())
        pipe.zcard(LIVE_DEVICES_KEY)
        _, count = await self._call(pipe.execute)
        return int(count)

    async def ping(self) -> None:
        """Raise Unavailable when Redis does not answer."""
        await self._call(self._redis.ping)

    async def _script(self, text: str, rack_id: str, *values: str) -> int:
        return int(await self._call(lambda: self._redis.eval(text, 1, rack_lock_key(rack_id), *values)))

    async def _call(self, work: Callable[[], Any]) -> Any:
        async def run() -> Any:
            outcome: Awaitable[Any] = work()
            return await outcome

        return await self.breaker.call(run)


def _counted(done: bool, event: str) -> bool:
    if done:
        observe.lease(event)
    return done
