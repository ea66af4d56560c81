"""Settings for mail that contradict each other are told, by name and without a secret."""

from pathlib import Path
from typing import Any

import pytest

from stockverify.errors import BadSetting
from stockverify.mail_settings import check
from stockverify.settings import Settings

SERVER: dict[str, Any] = {"smtp_host": "mail.shop.example", "mail_from": "Stock <stock@shop.example>"}
LOGIN = {"smtp_user": "stock", "smtp_password": "s3cret-word"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mail_from": "stock@shop.example"},
        SERVER,
        SERVER | LOGIN,
        SERVER | LOGIN | {"smtp_security": "tls"},
        SERVER | {"smtp_security": "none-anywhere"},
        SERVER | LOGIN | {"smtp_host": "localhost", "smtp_security": "none"},
        SERVER | {"smtp_ca_file": Path(__file__)},
    ],
)
def test_what_works_is_taken(changes: dict[str, Any]) -> None:
    check(Settings(**changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (LOGIN, "SMTP_HOST='' is not usable: SMTP_USER is set, but no mail server is named"),
        ({"smtp_ca_file": Path(__file__)}, "SMTP_CA_FILE is set, but no mail server is named"),
        (SERVER | {"smtp_user": "stock"}, "SMTP_PASSWORD='' is not usable: a login needs both"),
        (SERVER | {"smtp_password": "s3cret-word"}, "SMTP_USER='' is not usable: a login needs both"),
        (SERVER | {"mail_from": None}, "MAIL_FROM='' is not usable"),
        ({"mail_from": "nobody"}, "MAIL_FROM='nobody' is not usable"),
        (SERVER | {"smtp_security": "none"}, "SMTP_SECURITY='none' is not usable: without encryption"),
        (SERVER | LOGIN | {"smtp_security": "none-anywhere"}, "the password would cross the network in clear"),
        (
            SERVER | {"smtp_ca_file": Path("/nowhere.pem")},
            "SMTP_CA_FILE='/nowhere.pem' is not usable: there is no such",
        ),
    ],
)
def test_what_contradicts_itself_is_named_without_a_secret(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSetting) as caught:
        check(Settings(**changes))
    assert said in caught.value.message
    assert "s3cret-word" not in caught.value.message
