"""Tokens, headers and failures of single calls, over real sockets."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from stockverify.client.api import Api
from stockverify.client.memory import Login
from stockverify.client.problems import LoginNeeded, NotTheService, Offline, TooSlow
from stockverify.client.replies import Me
from tests.stockverify.client.conftest import LOGIN, Clock
from tests.stockverify.client.scripted import Scripted, accept, answering, reply

ANNA = Me("anna", "Anna", "staff", ())
BATCH = b'{"records":[{"client_record_id":"c-1","item_code":"I"}]}'


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=httpx.Timeout(5, read=0.3)) as opened:
        yield opened


@pytest.fixture
def kept() -> list[Login | None]:
    return []


@pytest.fixture
def api(client: httpx.AsyncClient, scripted: Scripted, clock: Clock, kept: list[Login | None]) -> Api:
    return Api(client, scripted.url, "phone", LOGIN, kept.append, clock.monotonic)


async def test_a_call_carries_the_token_and_the_device(api: Api, scripted: Scripted) -> None:
    assert await api.me() == ANNA
    headers = scripted.requests[0].headers
    assert (headers["authorization"], headers["x-device-id"]) == ("Bearer token-1", "phone")


async def test_a_refused_token_is_renewed_once_and_the_call_made_again(
    api: Api, scripted: Scripted, kept: list[Login | None]
) -> None:
    scripted.token = "token-7"
    assert await api.me() == ANNA
    assert [each.path for each in scripted.requests] == ["/api/auth/me", "/api/auth/refresh", "/api/auth/me"]
    assert kept == [Login(username="anna", access_token="token-8", refresh_token="refresh-8", expires_in=900)]


async def test_calls_that_are_refused_together_renew_the_token_once(api: Api, scripted: Scripted) -> None:
    scripted.token = "token-7"
    assert await asyncio.gather(*(api.me() for _ in range(8))) == [ANNA] * 8
    assert len(scripted.calls("/api/auth/refresh")) == 1


async def test_a_token_is_renewed_before_it_ends(api: Api, scripted: Scripted, clock: Clock) -> None:
    scripted.token = "token-7"
    await api.me()
    clock.seconds += 839
    await api.me()
    assert len(scripted.calls("/api/auth/refresh")) == 1
    clock.seconds += 2
    await api.me()
    assert [each.path for each in scripted.requests[-2:]] == ["/api/auth/refresh", "/api/auth/me"]


async def test_a_dead_login_is_forgotten_and_not_asked_about_again(
    api: Api, scripted: Scripted, kept: list[Login | None]
) -> None:
    scripted.token, scripted.refresh_token = "token-7", "refresh-7"
    for _ in range(3):
        with pytest.raises(LoginNeeded, match="what you counted is kept"):
            await api.me()
    assert (len(scripted.requests), kept) == (2, [None])


async def test_nothing_listens(api: Api, scripted: Scripted) -> None:
    await scripted.close()
    with pytest.raises(Offline, match="cannot be reached"):
        await api.me()
    assert await api.reachable() is False


async def test_a_service_that_stalls_is_too_slow(api: Api, scripted: Scripted) -> None:
    scripted.gate.clear()
    with pytest.raises(TooSlow, match="ReadTimeout"):
        await api.sync(BATCH)


async def test_a_service_that_is_unhealthy_is_reachable(api: Api) -> None:
    assert await api.reachable() is True


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((200, {"Content-Type": "text/html"}, b"<html>Welcome to our Wi-Fi</html>"), id="a login page"),
        pytest.param((302, {"Location": "http://127.0.0.1:1/"}, b""), id="a redirect, which is not followed"),
        pytest.param(reply(["a"]), id="another shape"),
        pytest.param((200, {"Content-Encoding": "gzip"}, b"no gzip"), id="broken encoding"),
    ],
)
async def test_what_is_not_the_service_is_said(
    api: Api, scripted: Scripted, answer: tuple[int, dict[str, str], bytes]
) -> None:
    scripted.script.append(answering(answer))
    with pytest.raises(Offline) as caught:
        await api.sync(BATCH)
    assert isinstance(caught.value, NotTheService) or answer[2] == b"no gzip"
    scripted.script.append(accept)
    assert (await api.sync(BATCH)).ok == ("c-1",)


async def test_names_in_paths_are_quoted(api: Api, scripted: Scripted) -> None:
    scripted.script.append(answering(reply({"rack_id": "A/1 ?", "message": "Released."})))
    await api.release("A/1 ?")
    assert scripted.requests[0].path == "/api/racks/A%2F1%20%3F/release"
