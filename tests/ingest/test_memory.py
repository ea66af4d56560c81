"""The room for large bodies: in the order of arrival, never more than there is, and nobody who waits holds any."""

import asyncio

import pytest

from ingest.memory import BodiesWait, Room, Share


async def test_no_more_is_given_than_there_is_and_in_the_order_of_arrival() -> None:
    room, taken, most, order = Room(10), 0, 0, []

    async def use(name: int, size: int) -> None:
        nonlocal taken, most
        share = Share(room)
        await share.take(size)
        order.append(name)
        taken += size
        most = max(most, taken)
        await asyncio.sleep(0)
        taken -= size
        share.keep(0)

    await asyncio.gather(*(use(name, size) for name, size in enumerate((6, 10, 1, 4, 6, 10, 10, 3))))
    assert (order, most) == (list(range(8)), 10)


async def test_what_is_not_needed_goes_to_the_next_and_a_share_takes_once() -> None:
    room = Room(10)
    first, second = Share(room), Share(room)
    await first.take(10)
    waiting = asyncio.create_task(second.take(8))
    await asyncio.sleep(0)
    first.keep(3)
    await asyncio.sleep(0)
    assert not waiting.done()
    first.keep(2)
    await waiting
    await second.take(100)
    second.keep(0)
    first.keep(0)
    await Share(room).take(10)


async def test_whoever_waits_too_long_or_goes_away_leaves_the_room_as_it_was() -> None:
    room = Room(10, queue_seconds=0.01)
    first = Share(room)
    await first.take(10)
    with pytest.raises(BodiesWait, match="Many large bodies"):
        await Share(room).take(1)
    gone = asyncio.create_task(Share(room).take(1))
    await asyncio.sleep(0)
    gone.cancel()
    first.keep(0)
    await Share(room).take(10)
