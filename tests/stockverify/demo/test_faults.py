"""Faults happen after the service has done its work, and are counted."""

import random
from collections.abc import AsyncIterator

import httpx
import pytest

from stockverify.demo.faults import FaultCount, FaultyTransport
from tests.stockverify.client.conftest import LOGIN
from tests.stockverify.client.scripted import Scripted

HEADERS = {"Authorization": f"Bearer {LOGIN.access_token}"}
BATCH = {"records": [{"client_record_id": "c-1", "item_code": "A"}]}


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    service = Scripted()
    await service.open()
    yield service
    await service.close()


async def send(client: httpx.AsyncClient, service: Scripted) -> int:
    return (await client.post(f"{service.url}/api/sync/batch", json=BATCH, headers=HEADERS)).status_code


def faulty(**chances: float) -> FaultyTransport:
    return FaultyTransport(httpx.AsyncHTTPTransport(), random.Random(1), **chances)


async def test_a_dropped_reply_is_dropped_after_the_commit(scripted: Scripted) -> None:
    network = faulty(drop_reply=1.0)
    async with httpx.AsyncClient(transport=network) as client:
        with pytest.raises(httpx.ReadError):
            await send(client, scripted)
        assert (await client.get(f"{scripted.url}/api/health")).status_code == 200, "only batches lose replies"
    assert (list(scripted.stored), network.count) == (["c-1"], FaultCount(dropped_replies=1))


async def test_a_replayed_batch_arrives_twice(scripted: Scripted) -> None:
    network = faulty(drop_reply=0.0, replay=1.0)
    async with httpx.AsyncClient(transport=network) as client:
        assert await send(client, scripted) == 200
    assert (scripted.batches, network.count) == ([["c-1"], ["c-1"]], FaultCount(replayed_batches=1))


async def test_offline_cuts_off_everything(scripted: Scripted) -> None:
    network = faulty(drop_reply=0.0)
    network.offline = True
    async with httpx.AsyncClient(transport=network) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{scripted.url}/api/health")
        network.offline = False
        assert await send(client, scripted) == 200
    assert (len(scripted.requests), network.count) == (1, FaultCount(refused_while_offline=1))


async def test_a_shared_transport_outlives_the_devices_that_share_it(scripted: Scripted) -> None:
    async with httpx.AsyncHTTPTransport() as inner:
        for _ in range(2):
            network = FaultyTransport(inner, random.Random(1), drop_reply=0.0, owns_inner=False)
            async with httpx.AsyncClient(transport=network) as client:
                assert await send(client, scripted) == 200
    assert len(scripted.requests) == 2
