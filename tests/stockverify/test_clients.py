"""The clients of the two backends, when connections break."""

from collections.abc import Callable
from typing import Any

import pytest
import redis.exceptions
import uvloop
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from ingest import transactions
from stockverify import clients
from stockverify.services.embedded import Backends
from stockverify.settings import Settings
from tests.faults.proxy import Mishaps, proxy


@pytest.mark.parametrize("opened", [clients.open_mongo, clients.open_async_mongo])
async def test_writes_are_on_the_disks_of_a_majority_whatever_the_address_says(opened: Callable[[str], Any]) -> None:
    client = opened("mongodb://127.0.0.1:1/?w=1&journal=false&readConcernLevel=local")
    for place in (client, clients.database(client, Settings()), clients.database(client, Settings())["c"]):
        assert (place.write_concern.document, place.read_concern.level) == ({"w": "majority", "j": True}, "majority")
    assert WriteConcern("majority", j=True) == transactions._DURABLE
    assert ReadConcern("snapshot") == transactions._SNAPSHOT
    if closing := client.close():
        await closing


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
