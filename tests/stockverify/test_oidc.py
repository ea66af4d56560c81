"""Which providers may be set."""

import pytest

from stockverify import oidc
from stockverify.errors import BadSetting
from stockverify.settings import Settings
from stockverify.vocabulary import Role

GOOD = {"oidc_issuer": "https://login.example/realms/shop", "oidc_client_id": "stockverify"}


def test_without_settings_nobody_signs_in_through_a_provider() -> None:
    assert oidc.provider(Settings()) is None
    assert oidc.provider(Settings(oidc_client_secret="left over", oidc_name="Shop")) is None


def test_a_provider_is_what_the_settings_say() -> None:
    found = oidc.provider(
        Settings(**GOOD, oidc_new_users_role="auditor", oidc_new_users_domains="Shop.example, @b.example")
    )
    assert found == oidc.Provider(
        "https://login.example/realms/shop",
        "stockverify",
        "single sign-on",
        "email",
        Role.AUDITOR,
        ("shop.example", "b.example"),
    )
    assert found.metadata_url == "https://login.example/realms/shop/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"oidc_issuer": None}, "OIDC_ISSUER"),
        ({"oidc_issuer": "http://login.example"}, "OIDC_ISSUER"),
        ({"oidc_issuer": "http://localhost.evil.example"}, "OIDC_ISSUER"),
        ({"oidc_issuer": "http://127.0.0.1@evil.example"}, "OIDC_ISSUER"),
        ({"oidc_issuer": "https://user:word@login.example"}, "OIDC_ISSUER"),
        ({"oidc_issuer": "https://login.example/?a=b"}, "OIDC_ISSUER"),
        ({"oidc_issuer": "https://login.example\n"}, "OIDC_ISSUER"),
        ({"oidc_issuer": "https://"}, "OIDC_ISSUER"),
        ({"oidc_issuer": "https://[::1"}, "OIDC_ISSUER"),
        ({"oidc_issuer": "ftp://login.example"}, "OIDC_ISSUER"),
        ({"oidc_client_id": None}, "OIDC_CLIENT_ID"),
        ({"oidc_client_id": 'a"\nb'}, "OIDC_CLIENT_ID"),
    ],
)
def test_half_a_provider_or_an_unsafe_one_is_refused_by_the_setting(changes: dict[str, str], named: str) -> None:
    with pytest.raises(BadSetting, match=named):
        oidc.provider(Settings(**(GOOD | changes)))


@pytest.mark.parametrize("secret", [None, "", "two\nlines"])
def test_the_dashboard_needs_a_secret_and_no_message_shows_it(secret: str | None) -> None:
    with pytest.raises(BadSetting, match="OIDC_CLIENT_SECRET") as caught:
        oidc.client_secret(Settings(**GOOD, oidc_client_secret=secret))
    assert "two" not in caught.value.message
