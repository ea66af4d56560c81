"""What doctor tells of the settings for mail."""

from pathlib import Path

from stockverify.cli.checks.mail import mail
from stockverify.settings import Settings


def test_without_a_mail_server_the_folder_is_named() -> None:
    found = mail(Settings(data_dir=Path("/srv/x")))
    assert (found.fine, found.says) == (True, "SMTP_HOST is not set: mails are written to /srv/x/outbox.")


def test_with_one_it_says_where_mails_go() -> None:
    found = mail(Settings(smtp_host="mail.shop.example", mail_from="stock@shop.example"))
    assert (found.fine, found.says) == (
        True,
        "Mails go to mail.shop.example:587 (starttls), from stock@shop.example.",
    )


def test_a_contradiction_is_wrong_and_says_what_to_change() -> None:
    found = mail(Settings(smtp_host="mail.shop.example"))
    assert (found.check, found.fine) == ("mail", False)
    assert "MAIL_FROM" in found.advice
