"""Keys of the provider: asked for seldom, trusted for a while without it, and never taken from just anybody."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from ingest.auth.provider_keys import FRESH_SECONDS, LEAST_SECONDS, LONGEST_SECONDS, ProviderKeys, is_failure
from stockverify.breaker import Breaker
from stockverify.errors import Unavailable
from stockverify.oidc import Provider
from tests.ingest.test_id_tokens import EC_KEY, RSA_KEY, published
from tests.oidc import ChosenProvider, chosen_provider

OLD, NEW = published(RSA_KEY, "old"), published(EC_KEY, "new")
DISCOVERY = "/.well-known/openid-configuration"


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def provider() -> Iterator[ChosenProvider]:
    with chosen_provider() as started:
        started.publishes(OLD)
        yield started


@pytest.fixture
def clock() -> Clock:
    return Clock()


def kept(provider: ChosenProvider, clock: Clock, failures: int = 3) -> ProviderKeys:
    known = Provider(provider.url, "c", "Shop login", "email", None, ())
    return ProviderKeys(known, Breaker("Shop login", failures, 30, is_failure, clock), clock)


def names(keys: Any) -> list[str]:
    return [key.key_id for key in keys]


async def test_keys_are_fetched_once_for_all_who_wait_and_then_kept_for_an_hour(
    provider: ChosenProvider, clock: Clock
) -> None:
    keys = kept(provider, clock)
    found = await asyncio.gather(*(keys.keys() for _ in range(20)))
    assert [names(each) for each in found] == [["old"]] * 20
    clock.now += FRESH_SECONDS - 1
    assert names(await keys.keys()) == ["old"]
    assert provider.asked == [DISCOVERY, "/keys"]
    provider.publishes(NEW)
    clock.now += 1
    assert names(await keys.keys()) == ["new"]


async def test_whoever_invents_names_of_keys_makes_us_ask_once_a_minute(provider: ChosenProvider, clock: Clock) -> None:
    keys = kept(provider, clock)
    await keys.keys()
    provider.publishes(NEW)
    clock.now += LEAST_SECONDS - 1
    found = await asyncio.gather(*(keys.newer() for _ in range(50)))
    assert {*map(tuple, map(names, found))} == {("old",)}
    clock.now += 1
    assert [names(await keys.newer()) for _ in range(50)] == [["new"]] * 50
    assert len(provider.asked) == 4


async def test_while_the_provider_is_away_its_keys_are_good_for_a_day(provider: ChosenProvider, clock: Clock) -> None:
    keys = kept(provider, clock)
    await keys.keys()
    provider.answers(DISCOVERY, b"", 503)
    for _ in range(3):
        clock.now += FRESH_SECONDS
        assert [names(await keys.keys()) for _ in range(10)] == [["old"]] * 10
    assert len(provider.asked) == 2 + 3, "one question an hour, not one for each login"
    clock.now += LONGEST_SECONDS
    with pytest.raises(Unavailable, match="Shop login does not answer at the moment"):
        await keys.keys()
    provider.tells({"issuer": provider.url, "jwks_uri": f"{provider.url}/keys"})
    clock.now += 30
    assert names(await keys.keys()) == ["old"]


async def test_a_provider_that_was_never_there_is_left_alone_after_some_failures(
    provider: ChosenProvider, clock: Clock
) -> None:
    keys = kept(provider, clock, failures=2)
    provider.pages.clear()
    for _ in range(20):
        with pytest.raises(Unavailable):
            await keys.keys()
    assert len(provider.asked) == 2


HUGE = b'{"keys": ["' + b"x" * 300_000 + b'"]}'


@pytest.mark.parametrize(
    ("path", "answer", "status", "headers"),
    [
        (DISCOVERY, {"issuer": "https://another.example", "jwks_uri": "{url}/keys"}, 200, {}),
        (DISCOVERY, {"issuer": "{url}", "jwks_uri": "http://192.0.2.1/keys"}, 200, {}),
        (DISCOVERY, {"issuer": "{url}", "jwks_uri": "file:///etc/passwd"}, 200, {}),
        (DISCOVERY, {"issuer": "{url}", "jwks_uri": ["{url}/keys"]}, 200, {}),
        (DISCOVERY, {"issuer": "{url}"}, 200, {}),
        (DISCOVERY, [], 200, {}),
        (DISCOVERY, b"not json \xff", 200, {}),
        (DISCOVERY, b"[" * 100_000, 200, {}),
        (DISCOVERY, b"", 302, {"Location": "/elsewhere"}),
        ("/keys", HUGE, 200, {}),
        ("/keys", {"keys": []}, 200, {}),
        ("/keys", {"keys": [OLD]}, 500, {}),
    ],
)
async def test_an_answer_that_is_not_what_it_should_be_gives_no_keys(
    provider: ChosenProvider, clock: Clock, path: str, answer: Any, status: int, headers: dict[str, str]
) -> None:
    provider.answers("/elsewhere", {"issuer": provider.url, "jwks_uri": f"{provider.url}/keys"})
    if isinstance(answer, dict) and path == DISCOVERY:
        answer = {name: _placed(value, provider.url) for name, value in answer.items()}
    provider.answers(path, answer, status, **headers)
    with pytest.raises(Unavailable):
        await kept(provider, clock).keys()


def _placed(value: Any, url: str) -> Any:
    return value.replace("{url}", url) if isinstance(value, str) else [_placed(each, url) for each in value]
