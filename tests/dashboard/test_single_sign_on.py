"""Coming in through a provider: what Streamlit is told, what a session keeps, and what the sign-in page says."""

import stat
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import secrets_file
from dashboard.api import Api
from dashboard.login import Keeper
from stockverify.errors import BadSetting
from stockverify.services.child import free_port
from stockverify.services.embedded import Backends
from stockverify.settings import Settings
from tests.dashboard.conftest import OpenApp, press, texts
from tests.ingest.crowd import new_user
from tests.oidc import CLIENT_ID, CLIENT_SECRET, RealProvider, chosen_provider, real_provider
from tests.service import Service, running_service

NOW = datetime(2026, 1, 31, 18, 0, tzinfo=UTC)


def configured(folder: Path, **changes: str) -> Settings:
    given = {"oidc_issuer": "https://login.example/a", "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET}
    return Settings(data_dir=folder, **(given | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProvider]:
    with real_provider(tmp_path_factory.mktemp("provider")) as started:
        yield started


@pytest.fixture(scope="module")
def house(
    provider: RealProvider, embedded: Backends, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Api]]:
    """A service that knows the provider, and calls to it."""
    changes = {"mongodb_database": "come_in", "data_dir": tmp_path_factory.mktemp("come_in")}
    settings = msgspec.structs.replace(embedded.settings, **changes, oidc_issuer=provider.url, oidc_client_id=CLIENT_ID)
    with running_service(settings) as service:
        api = Api(service.url)
        yield service, api
        api.close()


def test_streamlit_is_told_in_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = secrets_file.written(configured(tmp_path, dashboard_url="https://stock.example/"))
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = tomllib.loads(path.read_text())["auth"]
    key = (tmp_path / "dashboard" / "cookie.key").read_text()
    assert len(key) == 64
    assert told == {
        "redirect_uri": "https://stock.example/oauth2callback",
        "cookie_secret": key,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "server_metadata_url": "https://login.example/a/.well-known/openid-configuration",
        "expose_tokens": "id",
        "client_kwargs": {"code_challenge_method": "S256"},
    }
    again = secrets_file.written(configured(tmp_path))
    assert again is not None
    assert tomllib.loads(again.read_text())["auth"]["cookie_secret"] == key, "people stay signed in over a restart"


@pytest.mark.parametrize("secret", ['quote"s', "back\\slash", "ümläut", "[auth]", "a = 1 # no", "\U0001f511"])
def test_whatever_a_secret_looks_like_it_arrives_whole(tmp_path: Path, secret: str) -> None:
    told = tomllib.loads(secrets_file.content(configured(tmp_path, oidc_client_secret=secret), "k"))
    assert told["auth"]["client_secret"] == secret


def test_without_a_provider_nothing_is_left_for_streamlit(tmp_path: Path) -> None:
    path = secrets_file.written(configured(tmp_path))
    assert path is not None
    assert secrets_file.written(Settings(data_dir=tmp_path)) is None
    assert not path.exists()


def test_a_provider_without_a_secret_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="OIDC_CLIENT_SECRET"):
        secrets_file.written(configured(tmp_path, oidc_client_secret=""))


def test_a_token_is_tried_once_and_opens_a_login(house: tuple[Service, Api], provider: RealProvider) -> None:
    service, api = house
    name = new_user(service, "ida", "supervisor")
    service.admin.patch(f"/api/auth/users/{name}", json={"email": "ida@shop.example"}).raise_for_status()
    provider.knows("ida-1", email="ida@shop.example", email_verified=True)
    token, keeper = provider.id_token("ida-1"), Keeper()
    keeper.come_in(api, token, "Shop login", NOW)
    assert keeper.login is not None
    assert (keeper.login.user.username, keeper.message) == (name, "")
    keeper.sign_out(api)
    keeper.come_in(api, token, "Shop login", NOW)
    assert (keeper.login, keeper.message) == (None, "You are signed out.")
    other_tab = Keeper()
    other_tab.come_in(api, token, "Shop login", NOW)
    assert (other_tab.login, other_tab.message) == (None, "Sign in with Shop login once more to go on.")


def test_somebody_without_an_account_reads_what_to_do(house: tuple[Service, Api], provider: RealProvider) -> None:
    provider.knows("eve-1", email="eve@shop.example", email_verified=True)
    keeper = Keeper()
    keeper.come_in(house[1], provider.id_token("eve-1"), "Shop login", NOW)
    assert keeper.login is None
    assert "Ask an admin to make one, or to enter your e-mail address (eve@shop.example)" in keeper.message


def test_while_the_service_is_away_the_token_is_kept_for_later(
    house: tuple[Service, Api], provider: RealProvider
) -> None:
    provider.knows("late-1", email="late@shop.example", email_verified=True)
    token, keeper, away = provider.id_token("late-1"), Keeper(), Api(f"http://127.0.0.1:{free_port()}")
    keeper.come_in(away, token, "Shop login", NOW)
    away.close()
    assert "does not answer" in keeper.message
    keeper.come_in(house[1], token, "Shop login", NOW)
    assert "late@shop.example" in keeper.message


def offered(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def test_the_sign_in_page_offers_the_provider_only_where_there_is_one(open_app: OpenApp, service: Service) -> None:
    assert offered(open_app(service.settings)) == ["Sign in"]
    changes = {"oidc_issuer": "http://127.0.0.1:9", "oidc_client_id": "c", "oidc_name": "*Shop* [login](x)"}
    at = open_app(msgspec.structs.replace(service.settings, **changes))
    assert len(offered(at)) == 2
    assert "Shop" in offered(at)[0]
    assert "](x)" not in offered(at)[0].replace("\\", "") or "\\[" in offered(at)[0], "a name is no markup"
    press(at, offered(at)[0])
    assert "does not answer at the moment. Try again, or sign in with your user name" in texts(at)
    assert not at.exception


def test_half_a_provider_is_a_sentence_and_no_traceback(open_app: OpenApp, service: Service) -> None:
    at = open_app(msgspec.structs.replace(service.settings, oidc_issuer="http://login.example", oidc_client_id="c"))
    assert "Something needs repair" in texts(at)
    assert "one on this machine" in texts(at)
    assert not at.exception


def test_a_provider_that_answers_is_where_the_button_leads(
    open_app: OpenApp, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    went = []
    monkeypatch.setattr("streamlit.login", lambda: went.append("there"))
    with chosen_provider() as provider:
        changes = {"oidc_issuer": provider.url, "oidc_client_id": "c", "oidc_name": "Shop login"}
        at = open_app(msgspec.structs.replace(service.settings, **changes))
        press(at, "Sign in with Shop login")
    assert went == ["there"]
