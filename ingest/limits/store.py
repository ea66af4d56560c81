"""Counts requests in Redis, by Redis's own clock, so that the limit is exact over all processes."""

from redis.asyncio import Redis

from ingest.limits import rules
from ingest.limits.rules import Rate, TooManyRequests, TooManyStrangers
from stockverify.breaker import Breaker
from stockverify.errors import Unavailable
from stockverify.settings import Settings
from stockverify.vocabulary import address_rate_key, device_rate_key

# The generic cell rate algorithm: the key holds the time at which an even sender would have sent what was sent so far.
_SPEND = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local even = math.max(tonumber(redis.call('GET', KEYS[1])) or 0, now)
if even - now > tolerance then return even - now - tolerance end
even = even + interval
redis.call('SET', KEYS[1], string.format('%.0f', even), 'PX', math.ceil((even - now) / 1000))
return 0
"""


class LimitStore:
    """Lets requests through up to a rate. While Redis is away nothing is limited, and nobody waits for it."""

    def __init__(self, redis: "Redis", breaker: Breaker, settings: Settings) -> None:
        self._redis, self._breaker = redis, breaker
        self._devices, self._strangers = Rate(settings.rate_limit), Rate(settings.rate_limit_strangers)

    async def device(self, user_id: str, device_id: str) -> None:
        """One more request of a person's device. Raises TooManyRequests."""
        if wait := await self._spend(device_rate_key(user_id, device_id), self._devices):
            raise TooManyRequests(limit=self._devices.per_minute, retry_after=rules.retry_after(wait))

    async def stranger(self, address: str) -> None:
        """One more login or enrolment from an address. Raises TooManyStrangers."""
        if wait := await self._spend(address_rate_key(address), self._strangers):
            raise TooManyStrangers(limit=self._strangers.per_minute, retry_after=rules.retry_after(wait))

    async def _spend(self, key: str, rate: Rate) -> int:
        """Microseconds to wait; 0 when one more is allowed, or nobody can tell."""
        if not rate.per_minute:
            return 0

        async def run() -> int:
            return int(await self._redis.eval(_SPEND, 1, key, rate.interval, rate.tolerance))

        try:
            return await self._breaker.call(run)
        except Unavailable:
            return 0
