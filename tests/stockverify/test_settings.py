"""Settings come from the environment, with defaults, bounds and clear complaints."""

from pathlib import Path

import pytest

from stockverify.errors import BadSetting
from stockverify.settings import Settings, from_env, to_env


def test_an_empty_environment_gives_the_defaults_of_the_field() -> None:
    settings = from_env({})
    assert settings == Settings()
    assert (settings.rack_lock_ttl, settings.session_lock_ttl, settings.heartbeat_ttl) == (60, 3600, 90)
    assert (settings.sync_batch_size, settings.sync_max_retries) == (100, 5)
    assert (settings.breaker_failures, settings.breaker_timeout) == (5, 30)
    assert settings.snapshot_interval == 900


def test_empty_values_count_as_unset_and_options_win() -> None:
    settings = from_env({"RACK_LOCK_TTL": "", "STOCKVERIFY_API_PORT": "9000"}, api_port=9001, data_dir=None)
    assert (settings.rack_lock_ttl, settings.api_port, settings.data_dir) == (60, 9001, Path("var"))


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, None),
        ({"REDIS_URL": "redis://a"}, "redis://a"),
        ({"REDIS_HOST": "h"}, "redis://h:6379/0"),
        ({"REDIS_HOST": "h", "REDIS_PORT": "7", "REDIS_DB": "2", "REDIS_PASSWORD": "p@/"}, "redis://:p%40%2F@h:7/2"),
    ],
)
def test_redis_is_named_by_url_or_by_parts(environ: dict[str, str], address: str | None) -> None:
    assert from_env(environ).redis_address() == address


BAD_TOLERANCES = [
    ("TOLERANCE_UNITS", "-1"),
    ("TOLERANCE_UNITS", "inf"),
    ("TOLERANCE_UNITS", "nan"),
    ("TOLERANCE_SHARE", "2"),
]
BAD_CURRENCIES = [("STOCKVERIFY_CURRENCY", value) for value in ("eur", "EURO", '€"', "=EU")]


@pytest.mark.parametrize(
    ("name", "value"),
    [("REDIS_PORT", "70000"), ("RACK_LOCK_TTL", "0"), ("SYNC_BATCH_SIZE", "many"), *BAD_TOLERANCES, *BAD_CURRENCIES],
)
def test_a_bad_value_is_named_with_its_meaning(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"{name}='{value}' is not usable: .* It means: "):
        from_env({name: value})


def test_a_child_gets_the_same_settings() -> None:
    own = {"STOCKVERIFY_DATA_DIR": "/srv/x", "RACK_LOCK_TTL": "5", "STOCKVERIFY_CURRENCY": "EUR"}
    settings = from_env({"REDIS_HOST": "h", **own})
    assert settings.currency == "EUR"
    assert from_env(to_env(settings)) == settings


def test_a_child_gets_them_whatever_else_it_inherits() -> None:
    inherited = {"SMTP_HOST": "mail.shop.example", "STOCKVERIFY_API_PORT": "9000", "RACK_LOCK_TTL": "7"}
    assert from_env(inherited | to_env(Settings())) == Settings()
