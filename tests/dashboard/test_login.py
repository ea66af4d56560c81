"""A login over its life, with the real service."""

from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest

from dashboard.api import Api, ServiceAway
from dashboard.login import CHECK_EVERY, REST, Due, Keeper, Login, due, login_of
from stockverify.services.child import free_port
from stockverify.vocabulary import Role
from stockverify.wire.auth import Tokens, User
from tests.service import PASSWORD, Service

NOW = datetime(2026, 1, 31, 18, 0, tzinfo=UTC)
USER = User(
    id="u-1", username="ann", full_name="Ann", role=Role.AUDITOR, email=None, is_active=True, permissions=["read"]
)


@pytest.fixture
def api(service: Service):  # type: ignore[no-untyped-def]
    found = Api(service.url)
    yield found
    found.close()


@pytest.fixture
def signed_in(service: Service, api: Api) -> Keeper:
    """A keeper that an auditor has just signed in to."""
    keeper = Keeper()
    keeper.sign_in(api, name(service.person("auditor")), PASSWORD, datetime.now(UTC))
    return keeper


def name(client: httpx.Client) -> str:
    """The user name of a client."""
    return str(client.get("/api/auth/me").json()["username"])


def login(keeper: Keeper) -> Login:
    """The login that there is."""
    assert keeper.login is not None
    return keeper.login


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [(0, Due.NOTHING), (59, Due.NOTHING), (60, Due.CHECK), (719, Due.CHECK), (720, Due.REFRESH), (5000, Due.REFRESH)],
)
def test_what_is_due(seconds: int, wanted: Due) -> None:
    found = login_of(Tokens(access_token="a", expires_in=900, refresh_token="r", user=USER), NOW)
    assert due(found, NOW + timedelta(seconds=seconds)) is wanted


def test_a_refresh_gives_new_tokens_that_work(signed_in: Keeper, api: Api) -> None:
    before = login(signed_in)
    signed_in.renew(api, before.refresh_at)
    after = login(signed_in)
    assert after.refresh_token != before.refresh_token
    assert api.me(after.access_token).username == before.user.username


def test_a_refresh_token_that_was_used_ends_the_session_with_a_message(signed_in: Keeper, api: Api) -> None:
    before = login(signed_in)
    api.refresh(before.refresh_token)
    signed_in.renew(api, before.refresh_at)
    assert (signed_in.login, signed_in.message) == (None, "Your session has ended. Sign in again to go on.")


def test_a_check_brings_a_changed_role(signed_in: Keeper, api: Api) -> None:
    before = login(signed_in)
    signed_in.login = msgspec.structs.replace(before, user=USER)
    signed_in.renew(api, before.checked_at + CHECK_EVERY)
    assert login(signed_in).user == before.user


def test_signing_out_kills_the_token_on_the_service(signed_in: Keeper, api: Api, service: Service) -> None:
    token = login(signed_in).access_token
    signed_in.sign_out(api)
    assert (signed_in.login, signed_in.message) == (None, "You are signed out.")
    assert httpx.get(f"{service.url}/api/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_signing_out_while_the_service_is_away_signs_out_here(signed_in: Keeper) -> None:
    away = Api(f"http://127.0.0.1:{free_port()}")
    signed_in.sign_out(away)
    away.close()
    assert signed_in.login is None
    assert "could not be told" in signed_in.message


def test_a_service_that_hangs_is_asked_once_and_then_left_alone_for_a_while(signed_in: Keeper) -> None:
    """Each call that it lets wait is a blank page: every run of every page checked the login, twice."""
    asked: list[str] = []

    class Hanging(Api):
        def me(self, token: str) -> User:
            asked.append(token)
            raise ServiceAway(url=self.url)

    hangs, checked_at = Hanging("http://service.example"), login(signed_in).checked_at + CHECK_EVERY
    for seconds in (0, 1, 29):
        signed_in.renew(hangs, checked_at + timedelta(seconds=seconds))
    assert len(asked) == 1
    signed_in.renew(hangs, checked_at + REST)
    assert len(asked) == 2
    hangs.close()


def test_a_living_token_outlasts_a_short_absence_of_the_service(signed_in: Keeper) -> None:
    away, before = Api(f"http://127.0.0.1:{free_port()}"), login(signed_in)
    signed_in.renew(away, before.dead_at - timedelta(seconds=1))
    assert login(signed_in) == before
    with pytest.raises(ServiceAway):
        signed_in.renew(away, before.dead_at)
    away.close()
