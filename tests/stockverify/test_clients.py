"""The clients of the two backends, when connections break."""

import redis.exceptions
import uvloop

from stockverify import clients
from stockverify.services.embedded import Backends
from tests.faults.proxy import Mishaps, proxy


def test_a_redis_connection_that_is_reset_is_an_outage_whenever_that_happens(embedded: Backends) -> None:
    """On uvloop, as in the service, writing to a connection that was just reset is no OSError but a RuntimeError."""
    before, after = (embedded.settings.redis_address() or "").rsplit(":", 1)

    async def work(port: int) -> set[type]:
        seen = set[type]()
        async with clients.open_redis(f"{before}:{port}/0") as client:
            for _ in range(400):
                try:
                    await client.ping()
                except Exception as error:
                    seen.add(type(error))
        return seen

    with proxy(int(after.split("/")[0]), mishaps=Mishaps(reset=0.3, lose_reply=0.1)) as between:
        seen = uvloop.run(work(between.port))
    assert seen
    assert all(issubclass(each, redis.exceptions.RedisError) for each in seen), seen
