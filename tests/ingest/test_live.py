"""Live updates: who hears what, over two processes, and what a client that does not listen costs the others."""

import asyncio
import json
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.memory import MemoryChannelsBackend
from redis import Redis
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ingest.auth.rules import Caller
from ingest.live import rules
from ingest.live.subscriber import Listener
from stockverify.services.child import Child
from stockverify.services.embedded import Backends, backends
from stockverify.settings import Settings
from stockverify.vocabulary import GLOBAL_CHANNEL, Role, rack_channel, session_channel
from tests.ingest.live import address, deaf, listening, metric, token_of, until
from tests.service import Service, claim, running_service

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def redis_of(settings: Settings) -> "Redis":
    return Redis.from_url(settings.redis_address() or "")


def notice(number: int = 0, **data: Any) -> str:
    told = {"type": "notice", "channel": GLOBAL_CHANNEL, "timestamp": time.time()}
    return json.dumps(told | {"data": {"number": number, **data}})


def test_a_claim_is_told_to_the_clients_of_both_processes(settings: Settings) -> None:
    with running_service(settings) as one, running_service(settings) as other:
        staff = one.person()
        with listening(one, one.admin) as here, listening(other, one.admin) as there:
            before = time.time()
            grant = claim(staff, "R[1]", "Ground")
            for client in (here, there):
                message = client.until("rack.changed")
                told = {"rack_id": "R[1]", "floor": "Ground", "status": "claimed", "session_id": grant["session_id"]}
                assert {name: message["data"][name] for name in told} == told
                assert message["channel"] == "rack:updates:R[1]"
                assert before - 1 < message["timestamp"] < time.time() + 1
        assert other.admin.get("/api/racks/available").status_code == 200


@pytest.mark.parametrize("protocols", [["jwt", "TOKEN"], None], ids=["by subprotocol", "by header"])
def test_both_ways_to_bring_a_token(service: Service, protocols: list[str] | None) -> None:
    token = token_of(service.admin)
    offered = [each.replace("TOKEN", token) for each in protocols] if protocols else None
    headers = None if protocols else {"Authorization": f"Bearer {token}"}
    with connect(address(service), subprotocols=offered, additional_headers=headers, proxy=None) as connection:  # type: ignore[arg-type]
        assert connection.subprotocol == ("jwt" if protocols else None)


@pytest.mark.parametrize(
    ("headers", "protocols"),
    [({}, None), ({"Authorization": "Bearer nonsense"}, None), ({}, ["jwt", "nonsense"]), ({}, ["jwt"])],
    ids=["no token", "bad header", "bad subprotocol", "subprotocol without a token"],
)
def test_a_stranger_is_refused_before_the_connection_is_accepted(
    service: Service, headers: dict[str, str], protocols: Any
) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(address(service), additional_headers=headers, subprotocols=protocols, proxy=None),
    ):
        pass
    reply = refused.value.response
    assert reply.status_code == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert "token" in json.loads(reply.body or b"{}")["detail"]


def caller(role: Role) -> Caller:
    return Caller("u-1", "anna", role, "l-1", "")


@pytest.mark.parametrize(
    ("channel", "kind", "user_id", "seen"),
    [
        (rack_channel("R1"), "rack.changed", None, True),
        (session_channel("s-1"), "session.changed", "u-1", True),
        (session_channel("s-2"), "session.changed", "u-2", False),
        (session_channel("s-2"), "records.synced", None, False),
        (GLOBAL_CHANNEL, "notice", None, True),
        (GLOBAL_CHANNEL, "notice", "u-1", True),
        (GLOBAL_CHANNEL, "notice", "u-2", False),
        (GLOBAL_CHANNEL, "conflict.found", None, False),
        (GLOBAL_CHANNEL, "conflict.resolved", "u-1", True),
        (GLOBAL_CHANNEL, "resync", None, True),
    ],
)
def test_staff_hear_racks_their_own_sessions_and_what_is_meant_for_them(
    channel: str, kind: str, user_id: str | None, seen: bool
) -> None:
    message = rules.Message("{}", channel, kind, user_id)
    assert rules.may_see(message, caller(Role.STAFF)) is seen
    assert all(rules.may_see(message, caller(role)) for role in (Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"type": "x", "channel": "rack:updates:R1", "data": {}}',
        b'{"type": "x", "channel": "rack:updates:R2", "data": {}, "timestamp": 1}',
        b'{"type": "x", "channel": "rack:updates:R1", "data": [], "timestamp": 1}',
        b'{"type": "x", "channel": "rack:updates:R1", "data": {}, "timestamp": 1' + b" " * 65_536 + b"}",
        b'{"a":' * 100_000,
    ],
)
def test_what_is_not_of_our_form_or_names_another_channel_is_no_message(payload: bytes) -> None:
    assert rules.read(b"rack:updates:R1", payload) is None


def test_a_message_is_handed_on_as_it_was_written() -> None:
    payload = b'{"type":"x","channel":"rack:updates:R1","data":{"user_id":"u-1"},"timestamp":1,"more":true}'
    assert rules.read(b"rack:updates:R1", payload) == rules.Message(payload.decode(), "rack:updates:R1", "x", "u-1")


async def test_a_client_with_too_much_waiting_is_noted_and_nobody_waits_for_it() -> None:
    channels = ChannelsPlugin(MemoryChannelsBackend(), channels=["updates"])
    listener = Listener(channels, max_backlog=2)
    listener.caller = caller(Role.STAFF)
    seen = rules.Message("{}", GLOBAL_CHANNEL, "notice", None)
    hidden = rules.Message("{}", GLOBAL_CHANNEL, "notice", "u-2")
    assert [listener.put_nowait(each) for each in (seen, hidden, seen, hidden)] == [True] * 4
    assert (listener.qsize, listener.overflowed.is_set()) == (2, False), "what it may not see takes no place"
    assert listener.put_nowait(seen) is False
    assert listener.overflowed.is_set()
    async with asyncio.timeout(1):
        await listener.put(None)


def test_a_counter_does_not_hear_of_the_sessions_of_others(service: Service) -> None:
    anna, bert = service.person(), service.person()
    grant = claim(anna, service.rack())
    with listening(service, anna) as hers, listening(service, bert) as his, listening(service, service.admin) as all_:
        anna.post(f"/api/sessions/{grant['session_id']}/complete").raise_for_status()
        for client in (hers, all_):
            assert client.until("session.changed")["data"]["status"] == "completed"
        with redis_of(service.settings) as redis:
            redis.publish(GLOBAL_CHANNEL, notice(77))
        heard = []
        while (message := his.next())["data"] != {"number": 77}:
            heard.append(message)
        assert {each["type"] for each in heard} == {"rack.changed"}
        assert "user" not in json.dumps(heard)


def test_a_login_that_ends_takes_its_connection_along(service: Service) -> None:
    anna, bert = service.person(), service.person()
    with listening(service, anna) as hers, listening(service, bert) as his:
        anna.post("/api/auth/logout").raise_for_status()
        assert hers.close_code(30) == 4401
        claim(bert, rack := service.rack())
        assert his.until("rack.changed", rack_id=rack), "the others stay"


@pytest.fixture
def own(tmp_path: Path) -> Any:
    with backends(Settings(data_dir=tmp_path, breaker_timeout=1)) as started:
        yield started


@pytest.mark.alone
def test_listeners_are_told_to_fetch_again_after_every_gap(own: Backends) -> None:
    with running_service(own.settings) as service, listening(service, service.admin) as client:
        staff = service.person()
        with redis_of(own.settings) as redis:
            redis.flushall()
            claim(staff, "R1")
            client.until("rack.changed", rack_id="R1")
            redis.client_kill_filter(_type="pubsub")
            told = client.next()
            told["timestamp"] = 0
            assert told == {"type": "resync", "channel": GLOBAL_CHANNEL, "data": {}, "timestamp": 0}
            claim(staff, "R2")
            client.until("rack.changed", rack_id="R2")
        own.children[1].kill()
        assert staff.post("/api/sessions/", json={"warehouse": "W"}).status_code == 200
        until(lambda: metric(service, "stockverify_live_connected") == 0)
        session = staff.post("/api/sessions/", json={"warehouse": "W"}).json()["session_id"]
        began = time.monotonic()
        assert staff.post(f"/api/sessions/{session}/complete").status_code == 200
        assert time.monotonic() - began < 1, "telling nobody does not take time"
        until(lambda: (metric(service, "stockverify_live_messages_total", fate="unpublished") or 0) >= 1)
        again = Child(own.children[1].spec)
        try:
            client.until("resync", 20)
            until(lambda: staff.post("/api/racks/R3/claim", json={}).status_code == 200)
            client.until("rack.changed", rack_id="R3")
        finally:
            again.stop()


def test_a_service_that_starts_without_redis_tells_live_updates_when_it_is_there(own: Backends) -> None:
    own.children[1].kill()
    with running_service(own.settings) as service, listening(service, service.admin) as client:
        again = Child(own.children[1].spec)
        try:
            client.until("resync", 20)
            until(lambda: service.admin.post("/api/racks/R3/claim", json={}).status_code == 200)
            client.until("rack.changed", rack_id="R3")
        finally:
            again.stop()


@pytest.mark.alone
def test_a_client_that_does_not_read_is_dropped_and_costs_the_others_nothing(settings: Settings) -> None:
    total, size = 20_000, 1000
    with running_service(settings) as service:
        process = psutil.Process(service.children[0].pid)
        with listening(service, service.admin) as client, deaf(service, service.admin) as silent:
            until(lambda: metric(service, "stockverify_websocket_clients") == 2)
            before = process.memory_info().rss
            late: list[float] = []
            numbers: list[int] = []

            def listen() -> None:
                while len(numbers) < total:
                    message = client.next()
                    late.append(time.time() - message["timestamp"])
                    numbers.append(message["data"]["number"])

            reader = Thread(target=listen)
            reader.start()
            peak = 0
            with redis_of(settings) as redis:
                for start in range(0, total, 200):
                    pipe = redis.pipeline(transaction=False)
                    for number in range(start, start + 200):
                        pipe.publish(GLOBAL_CHANNEL, notice(number, filling="x" * size))
                    pipe.execute()
                    peak = max(peak, process.memory_info().rss)
                    time.sleep(0.05)  # 4,000 a second at most, which a client that reads can take
            reader.join(30)
            assert numbers == list(range(total))
            print(f"latest {max(late):.3f} s, memory +{(peak - before) / 2**20:.1f} MiB")
            assert max(late) < 2
            assert peak - before < 32 * 2**20
            until(lambda: metric(service, "stockverify_websocket_clients") == 1)
            assert metric(service, "stockverify_websockets_ended_total", reason="too_slow") == 1
            until(lambda: not connected(process, silent.getsockname()[1]), 10)


def connected(process: "psutil.Process", port: int) -> bool:
    return any(each.raddr and each.raddr.port == port for each in process.net_connections("tcp"))


@pytest.mark.alone
def test_a_shutdown_says_goodbye_and_does_not_wait_for_the_deaf(settings: Settings) -> None:
    with (
        running_service(settings) as service,
        listening(service, service.admin) as client,
        deaf(service, service.admin),
    ):
        with redis_of(settings) as redis:
            for number in range(3000):
                redis.publish(GLOBAL_CHANNEL, notice(number, filling="x" * 1000))
            client.until("notice", number=2999)
        began = time.monotonic()
        service.children[0].stop()
        assert time.monotonic() - began < 6
        assert service.children[0].exit_code() == -signal.SIGTERM, "it ended by itself, not by a kill"
        assert client.close_code(1) == 1012
