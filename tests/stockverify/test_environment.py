"""Settings come from the environment, with defaults, bounds and clear complaints."""

from contextlib import suppress
from pathlib import Path

import pytest

from stockverify.environment import from_env, table, to_env
from stockverify.errors import BadSetting
from stockverify.settings import Settings


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


BAD_WORDS = [
    ("STOCKVERIFY_LOG_LEVEL", "loud"),
    ("STOCKVERIFY_TIME_ZONE", "Mars/Olympus"),
    ("STOCKVERIFY_TIME_ZONE", "../../etc/passwd"),
    ("STOCKVERIFY_TIME_ZONE", "Europe"),
    ("STOCKVERIFY_API_URL", "stock-api.shop.example"),
    ("STOCKVERIFY_DASHBOARD_URL", "ftp://stock.shop.example"),
    ("STOCKVERIFY_PUBLIC_API_URL", "https://stock.shop.example:port"),
]

BAD_TOLERANCES = [
    ("TOLERANCE_UNITS", "-1"),
    ("TOLERANCE_UNITS", "inf"),
    ("TOLERANCE_UNITS", "nan"),
    ("TOLERANCE_SHARE", "2"),
]
BAD_CURRENCIES = [("STOCKVERIFY_CURRENCY", value) for value in ("eur", "EURO", '€"', "=EU")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_PORT", "70000"),
        ("RACK_LOCK_TTL", "0"),
        ("SYNC_BATCH_SIZE", "many"),
        *BAD_WORDS,
        *BAD_TOLERANCES,
        *BAD_CURRENCIES,
    ],
)
def test_a_bad_value_is_named_with_its_meaning(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"{name}='{value}' is not usable: .* It means: "):
        from_env({name: value})


EACH_KIND = ("1", "600", "0.5", "debug", "tls", "preferred_username", "staff", "/srv/x")


def test_each_setting_can_be_set_in_the_environment_and_passed_on() -> None:
    """Whatever its type is: one of these is a value of it."""
    never = []
    for row in table():
        taken = []
        for text in (*EACH_KIND, "x" * 32, "Europe/Vienna", "EUR", "https://a.example"):
            with suppress(BadSetting):
                taken.append(from_env({row.env.name: text}))
        assert [from_env(to_env(settings)) for settings in taken] == taken
        never += [row.env.name] if all(getattr(settings, row.field) == row.default for settings in taken) else []
    assert never == []


def test_a_child_gets_the_same_settings() -> None:
    own = {"RACK_LOCK_TTL": "5", "STOCKVERIFY_CURRENCY": "EUR", "SMTP_CA_FILE": "/x.pem"}
    settings = from_env({"REDIS_HOST": "h", "STOCKVERIFY_DATA_DIR": "/srv/x", **own})
    assert (settings.currency, settings.smtp_ca_file) == ("EUR", Path("/x.pem"))
    assert from_env(to_env(settings)) == settings


def test_a_child_gets_them_whatever_else_it_inherits() -> None:
    inherited = {"SMTP_HOST": "mail.shop.example", "STOCKVERIFY_API_PORT": "9000", "RACK_LOCK_TTL": "7"}
    assert from_env(inherited | to_env(Settings())) == Settings()


def test_complaints_need_no_knowledge_of_python_and_show_no_secret() -> None:
    with pytest.raises(BadSetting, match=r"'many' is not usable: Expected a whole number\. It means"):
        from_env({"SYNC_BATCH_SIZE": "many"})
    with pytest.raises(
        BadSetting, match=r"STOCKVERIFY_SECRET='\*\*\*' is not usable: it must have 32 characters"
    ) as told:
        from_env({"STOCKVERIFY_SECRET": "hunter2"})
    assert "hunter2" not in told.value.message


def test_capitals_of_a_log_level_do_not_matter() -> None:
    assert from_env({"STOCKVERIFY_LOG_LEVEL": "debug"}).log_level == "debug"
