"""Claims and heartbeats over HTTP as a ratio to a bare Redis round trip, and a full queue of one device."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from stockverify.client.device import Device
from stockverify.services.embedded import Backends
from tests.bench.measured import centile
from tests.service import PASSWORD, Service, claim

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


def test_claims_and_heartbeats_against_a_bare_redis_round_trip(service: Service, embedded: Backends) -> None:
    person, rack = service.person(), service.rack("locks")
    session = claim(person, rack)["session_id"]

    def claim_anew(number: int) -> None:
        person.post(f"/api/racks/{rack}-{number}/claim", json={"floor": "Bench"}).raise_for_status()

    with Redis.from_url(embedded.settings.redis_address() or "") as redis:
        bare = median_ms(lambda number: redis.set(f"bench:{rack}", session, px=60_000))
    empty = median_ms(lambda number: person.get("/api/nowhere"))
    beat = median_ms(lambda number: person.post(f"/api/sessions/{session}/heartbeat").raise_for_status())
    granted = median_ms(claim_anew)
    print(
        f"\n  bare Redis SET {bare:.2f} ms; HTTP alone (a 404) {empty:.2f} ms = {empty / bare:.0f} of it;"
        f" heartbeat {beat:.2f} ms = {beat / bare:.0f}; claim (a transaction in MongoDB) {granted:.2f} ms"
        f" = {granted / bare:.0f}"
    )


async def test_a_full_queue_of_one_device(service: Service, tmp_path: Path) -> None:
    name = service.person().get("/api/auth/me").json()["username"]
    async with Device.open(tmp_path / "device.db", service.url, settings=service.settings) as device:
        await device.log_in(name, PASSWORD)
        await device.claim(service.rack("drain"), "Bench")
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
