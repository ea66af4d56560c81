"""Rate limits: exact over two processes, by Redis's clock, and never in the way when Redis is away. And how long a body
may take to come."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import msgspec
import pytest
from litestar.datastructures import Address
from redis import Redis

from ingest.limits.rules import Rate, address, retry_after
from ingest.outages import PATIENCE_SECONDS
from stockverify.client.load import LoadPlan, run_load
from stockverify.services.embedded import Backends, backends
from stockverify.settings import Settings
from stockverify.vocabulary import address_rate_key, device_rate_key
from tests.ingest.crowd import at_once, log_in, may_come_in, new_user, statuses
from tests.service import ADMIN_PASSWORD, Service, claim, record, running_service

LIMIT = 60
"""Requests a minute in these tests: one a second, of which all may come at once."""


@pytest.fixture(scope="module")
def pair(embedded: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two processes on one port."""
    settings = msgspec.structs.replace(
        embedded.settings, mongodb_database="limits", data_dir=tmp_path_factory.mktemp("limits"), rate_limit=LIMIT
    )
    with running_service(settings, processes=2) as service:
        yield service


@pytest.fixture(scope="module")
def redis(pair: Service) -> Iterator["Redis"]:
    """The Redis behind them."""
    with Redis.from_url(pair.settings.redis_address() or "", decode_responses=True) as client:
        yield client


names = count()


@pytest.fixture
def login(pair: Service) -> httpx.Response:
    """A login of a person who has sent nothing yet."""
    return log_in(pair, new_user(pair, f"limited{next(names)}"), **{"X-Device-ID": "d"})


def headers(login: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {login.json()['data']['access_token']}", "X-Device-ID": "d"}


def test_a_hundred_requests_at_once_through_two_processes_spend_exactly_the_rate(
    pair: Service, login: httpx.Response, redis: "Redis"
) -> None:
    began = time.monotonic()
    replies = at_once(100, lambda n: httpx.get(f"{pair.url}/api/auth/me", headers=headers(login), timeout=30))
    passed = int((time.monotonic() - began) * LIMIT / 60)
    found = statuses(replies)
    assert LIMIT <= found[200] <= LIMIT + passed + 1
    assert found[200] + found[429] == 100
    refused = next(reply for reply in replies if reply.status_code == 429)
    assert refused.headers["content-type"].startswith("application/problem+json")
    wait = int(refused.headers["Retry-After"])
    assert refused.json()["detail"] == (
        f"This device sends more than {LIMIT} requests a minute. Wait {wait} seconds, then go on."
    )
    assert wait == 1
    key = device_rate_key(login.json()["data"]["user"]["id"], "d")
    assert 0 < redis.pttl(key) <= 60_000
    until = time.monotonic() + wait
    while time.monotonic() < until:
        time.sleep(0.05)
    assert may_come_in(pair, login, **{"X-Device-ID": "d"}) == 200


def test_another_device_and_another_person_have_limits_of_their_own(pair: Service, login: httpx.Response) -> None:
    name = login.json()["data"]["user"]["username"]
    other = log_in(pair, name, **{"X-Device-ID": "e"})
    at_once(LIMIT, lambda n: httpx.get(f"{pair.url}/api/auth/me", headers=headers(login), timeout=30))
    made_up = [headers(login) | {"X-Device-ID": f"made-up-{n}"} for n in range(20)]
    found = statuses(at_once(20, lambda n: httpx.get(f"{pair.url}/api/auth/me", headers=made_up[n], timeout=30)))
    assert found[429] > 0, "a new name is no new device"
    assert may_come_in(pair, other, **{"X-Device-ID": "e"}) == 200
    assert httpx.get(f"{pair.url}/api/health").status_code == 200
    assert httpx.get(f"{pair.url}/schema/openapi.json").status_code == 200


def test_strangers_are_limited_by_address_on_logins_and_enrolments_together(settings: Settings, redis: "Redis") -> None:
    redis.delete(address_rate_key("127.0.0.1"))
    with running_service(msgspec.structs.replace(settings, rate_limit_strangers=10)) as service:
        calls = {
            "/api/auth/login": {"username": "x", "password": "x"},
            "/api/auth/refresh": {"refresh_token": "x"},
            "/api/devices/enroll": {"code": "x"},
        }
        paths = sorted(calls) * 5
        found = statuses([httpx.post(service.url + path, json=calls[path]) for path in paths])
        assert found[401] + found[429] == 15
        assert 10 <= found[401] <= 12
        refused = httpx.post(f"{service.url}/api/auth/login", json=calls["/api/auth/login"])
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 6
        assert httpx.get(f"{service.url}/api/health").status_code == 200


def test_our_own_devices_wait_as_they_are_told(settings: Settings, tmp_path: Path, redis: "Redis") -> None:
    redis.delete(address_rate_key("127.0.0.1"))
    with running_service(msgspec.structs.replace(settings, rate_limit_strangers=10)) as service:
        plan = LoadPlan(url=service.url, username="admin", password=ADMIN_PASSWORD, devices=12, records=1)
        summary = asyncio.run(run_load(plan, tmp_path, settings, lambda answered: None))
    assert (summary.acked, summary.errors) == (12, 0)


def test_a_body_that_comes_slowly_is_no_outage(pair: Service, login: httpx.Response) -> None:
    with httpx.Client(base_url=pair.url, headers=headers(login), timeout=30) as client:
        name = f"slow{next(names)}"
        body = json.dumps({"records": [record(claim(client, name), name)]}).encode()

        def pieces() -> Iterator[bytes]:
            yield body[:50]
            time.sleep(PATIENCE_SECONDS + 0.1)
            yield body[50:]

        reply = client.post("/api/sync/batch", content=pieces())
        assert (reply.status_code, reply.json().get("ok")) == (200, [name])


def test_zero_turns_a_limit_off(settings: Settings, embedded: Backends) -> None:
    with running_service(msgspec.structs.replace(settings, rate_limit=0)) as service:
        assert {service.admin.get("/api/auth/me").status_code for _ in range(50)} == {200}
        user = service.admin.get("/api/auth/me").json()["id"]
        with Redis.from_url(embedded.settings.redis_address() or "") as client:
            assert not client.exists(device_rate_key(user, ""))


@pytest.mark.alone
def test_while_redis_hangs_requests_pass_and_soon_without_delay(tmp_path: Path) -> None:
    with backends(Settings(data_dir=tmp_path)) as started, running_service(started.settings) as service:
        admin = service.admin
        redis_process = started.children[1]
        os.kill(redis_process.pid, signal.SIGSTOP)
        try:
            times = []
            for _ in range(30):
                began = time.monotonic()
                assert admin.get("/api/auth/me").status_code == 200
                times.append(time.monotonic() - began)
            assert max(times) < 1
            assert sum(times[-20:]) < 1, "the breaker is open: nobody waits for Redis"
            again = {"username": "admin", "password": ADMIN_PASSWORD}
            assert httpx.post(f"{service.url}/api/auth/login", json=again, timeout=20).status_code == 200
        finally:
            os.kill(redis_process.pid, signal.SIGCONT)


@pytest.mark.parametrize(("per_minute", "interval", "tolerance"), [(60, 1_000_000, 59_000_000), (1, 60_000_000, 0)])
def test_a_rate_is_an_interval_and_a_tolerance(per_minute: int, interval: int, tolerance: int) -> None:
    assert (Rate(per_minute).interval, Rate(per_minute).tolerance) == (interval, tolerance)


@pytest.mark.parametrize(("microseconds", "seconds"), [(1, 1), (1_000_000, 1), (1_000_001, 2), (59_500_000, 60)])
def test_the_wait_is_told_in_whole_seconds_and_never_too_short(microseconds: int, seconds: int) -> None:
    assert retry_after(microseconds) == seconds


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        (Address("192.0.2.7", 5), "192.0.2.7"),
        (Address("2001:db8:1:2:3:4:5:6", 5), "2001:db8:1:2::/64"),
        (Address("/run/socket", 0), "/run/socket"),
        (None, ""),
    ],
)
def test_an_address_is_what_one_household_has(client: Address | None, counted: str) -> None:
    assert address(client) == counted
