"""Claims and heartbeats over HTTP as a ratio to a bare Redis round trip, and a full queue of one device."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from stockverify.client.device import Device
from stockverify.services.embedded import Backends
from tests.bench.line import Line
from tests.bench.measured import centile
from tests.service import PASSWORD, Service

ROUNDS = 500
QUEUED = 2000

pytestmark = pytest.mark.bench


def median_ms(work: Callable[[int], Any]) -> float:
    """The median time of one call, in milliseconds."""
    times = []
    for number in range(ROUNDS):
        started = time.perf_counter()
        work(number)
        times.append((time.perf_counter() - started) * 1000)
    return centile(times, 50)


def test_claims_and_heartbeats_against_a_bare_redis_round_trip(pair: Service, embedded: Backends) -> None:
    line = Line(pair)
    rack, session = line.grant["rack_id"], line.grant["session_id"]
    with Redis.from_url(embedded.settings.redis_address() or "") as redis:
        bare = median_ms(lambda number: redis.set(f"bench:{rack}", session, px=60_000))
    empty = median_ms(lambda number: line.call("GET", "/api/nowhere", status=404))
    known = median_ms(lambda number: line.call("GET", "/api/auth/me"))
    beat = median_ms(lambda number: line.call("POST", f"/api/sessions/{session}/heartbeat"))
    granted = median_ms(lambda number: line.call("POST", f"/api/racks/{rack}-{number}/claim", b'{"floor": "Bench"}'))
    line.close()
    told = ((empty, "HTTP alone (a 404)"), (known, "a caller's own account"), (beat, "heartbeat"), (granted, "claim"))
    ratios = "; ".join(f"{name} {time:.2f} ms = {time / bare:.0f} times" for time, name in told)
    print(f"\n  bare Redis SET {bare:.3f} ms; {ratios}")


async def test_a_full_queue_of_one_device(pair: Service, tmp_path: Path) -> None:
    name = pair.person().get("/api/auth/me").json()["username"]
    async with Device.open(tmp_path / "device.db", pair.url, settings=pair.settings) as device:
        await device.log_in(name, PASSWORD)
        await device.claim(pair.rack("drain"), "Bench")
        counted = time.perf_counter()
        device.count_many({"item_code": f"ITEM-{number}", "verified_qty": 1.0} for number in range(QUEUED))
        started = time.perf_counter()
        await device.drain()
        seconds = time.perf_counter() - started
        assert device.progress.acked == QUEUED
    print(
        f"\n  {QUEUED:,} queued records of one device: {started - counted:.2f} s to queue them on its disk,"
        f" drained in {seconds:.2f} s = {QUEUED / seconds:,.0f} records/s (aim: under 10 s)"
    )
