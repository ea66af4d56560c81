"""What a device tells the service of its queue, with heartbeats and batches and nothing else."""

import httpx
import pytest

from stockverify.client.api import Api
from stockverify.client.device import about
from stockverify.client.queue import Queue
from tests.stockverify.client.conftest import LOGIN, Clock, a_record
from tests.stockverify.client.scripted import Scripted


@pytest.mark.parametrize(
    ("records", "seconds", "length", "age"),
    [(0, 90.0, "0", "0.0"), (3, 90.0, "3", "90.0"), (1, -90.0, "1", "0.0")],
    ids=["empty", "three of them", "a clock that was set back"],
)
def test_the_length_of_the_queue_and_the_age_of_its_oldest_count(
    queue: Queue, clock: Clock, records: int, seconds: float, length: str, age: str
) -> None:
    queue.add([a_record(number) for number in range(records)])
    clock.seconds = seconds
    assert about(queue, clock.work()) == {"X-Queue-Length": length, "X-Queue-Age": age}


async def test_what_travels_still_counts_as_unsent_until_it_is_answered(queue: Queue, clock: Clock) -> None:
    queue.add([a_record(1), a_record(2)])
    queue.take(1)
    assert about(queue, clock.work())["X-Queue-Length"] == "2"


async def test_heartbeats_and_batches_carry_it(scripted: Scripted, queue: Queue, clock: Clock) -> None:
    queue.add([a_record(1)])
    async with httpx.AsyncClient(timeout=5) as client:
        api = Api(client, scripted.url, "phone", LOGIN, about_queue=lambda: about(queue, clock.work()))
        scripted.heartbeat = {
            "id": "s-1",
            "session_id": "s-1",
            "rack_lock_renewed": True,
            "user_presence_updated": True,
            "lock_ttl_remaining": 60,
            "message": "",
        }
        await api.heartbeat("s-1")
        await api.sync(b'{"records": []}')
        await api.me()
    told = [request.headers.get("x-queue-length") for request in scripted.requests]
    assert told == ["1", "1", None]
