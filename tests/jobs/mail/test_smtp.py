"""Mails over real SMTP: encrypted, logged in, byte for byte as written. What arrived the server counts."""

import base64
from datetime import timedelta
from pathlib import Path

import pytest

from stockverify.errors import BadSetting
from stockverify.mail_settings import Server, server_of
from stockverify.settings import Settings
from stockverify.vocabulary import DeliveryKind
from tests.jobs.mail.conftest import NOW, RUN, plain
from tests.jobs.mail.servers import (
    ENVELOPE,
    GOODBYE,
    HELLO,
    PASSWORD,
    USER,
    Certificate,
    Post,
    Script,
    certificate,
    login,
    mail_server,
)

LATER = NOW + timedelta(hours=2)
LONG = NOW + timedelta(days=2)


def states(rows) -> list[str]:
    return [row["state"] for row in rows()]


def test_over_starttls_with_a_login(put, sender, rows, trusted: Certificate) -> None:
    put("ann@shop.example", "bob@shop.example")
    options = {
        "tls_context": trusted.context(),
        "require_starttls": True,
        "auth_required": True,
        "authenticator": login,
    }
    with mail_server(**options) as server:
        settings = plain(server.port) | {"smtp_host": "localhost", "smtp_security": "starttls", "smtp_user": USER}
        sender(**settings, smtp_password=PASSWORD, smtp_ca_file=trusted.ca).tick(NOW)
    assert server.post.recipients() == ["ann@shop.example", "bob@shop.example"]
    assert states(rows) == ["sent", "sent"]
    assert {id(session) for session in server.post.sessions} == {id(server.post.sessions[0])}
    assert server.post.sessions[0].ssl


def test_over_tls(put, sender, rows, trusted: Certificate) -> None:
    put("ann@shop.example")
    with mail_server(ssl_context=trusted.context()) as server:
        settings = plain(server.port) | {"smtp_host": "localhost", "smtp_security": "tls"}
        sender(**settings, smtp_ca_file=trusted.ca).tick(NOW)
    assert server.post.recipients() == ["ann@shop.example"]
    assert rows()[0]["smtp_reply"] == "250 kept"


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_nothing_is_sent_to_a_server_whose_certificate_is_not_trusted(
    put, sender, rows, trusted: Certificate, tmp_path, security: str
) -> None:
    put("ann@shop.example")
    stranger = certificate(tmp_path / "stranger")
    encrypted = {"ssl_context": stranger.context()} if security == "tls" else {"tls_context": stranger.context()}
    with mail_server(**encrypted) as server:
        settings = plain(server.port) | {"smtp_host": "localhost", "smtp_security": security}
        sender(**settings, smtp_ca_file=trusted.ca).tick(NOW)
    assert server.post.kept == []
    assert states(rows) == ["queued"]
    assert "CERTIFICATE_VERIFY_FAILED" in rows()[0]["error"]


def test_nothing_is_sent_to_a_server_of_another_name(put, sender, rows, tmp_path) -> None:
    put("ann@shop.example")
    other = certificate(tmp_path / "other", "mail.elsewhere.example")
    with mail_server(ssl_context=other.context()) as server:
        settings = plain(server.port) | {"smtp_host": "localhost", "smtp_security": "tls"}
        sender(**settings, smtp_ca_file=other.ca).tick(NOW)
    assert server.post.kept == []
    assert "Hostname mismatch" in rows()[0]["error"]


def test_a_server_that_offers_no_starttls_gets_neither_password_nor_mail(put, sender, rows) -> None:
    put("ann@shop.example")
    with mail_server(authenticator=login, auth_require_tls=False) as server:
        settings = plain(server.port) | {"smtp_security": "starttls", "smtp_user": USER, "smtp_password": PASSWORD}
        sender(**settings).tick(NOW)
    assert server.post.kept == []
    assert "STARTTLS" in rows()[0]["error"]


def test_a_wrong_password_is_told_without_the_password_and_tried_again(put, sender, rows, capsys) -> None:
    put("ann@shop.example")
    with mail_server(authenticator=login, auth_require_tls=False) as server:
        settings = plain(server.port) | {"smtp_user": USER}
        sender(**settings, smtp_password="wrong-password-1").tick(NOW)
        (row,) = rows()
        assert (row["state"], row["error"]) == (
            "queued",
            "The mail server refused the login of SMTP_USER (535).",
        )
        sender(**settings, smtp_password=PASSWORD).tick(LATER)
    assert states(rows) == ["sent"]
    said = capsys.readouterr()
    assert "wrong-password-1" not in said.out + said.err + str(rows())


BY_LOGIN = ["send 220 here", "expect EHLO", "send 250-here", "send 250 AUTH LOGIN", "expect AUTH LOGIN"]
NAME, SECRET = (base64.b64encode(each.encode()).decode().upper() for each in (USER, PASSWORD))


@pytest.mark.parametrize(
    ("answers", "state", "error"),
    [
        (["send 334 VXNlcm5hbWU6", f"expect {NAME}", "send 334 UGFzc3dvcmQ6", f"expect {SECRET}",
          "send 235 welcome", *ENVELOPE, "text", "send 250 kept", *GOODBYE], "sent", None),
        (["send 334 VXNlcm5hbWU6", f"expect {NAME}", "send 334 UGFzc3dvcmQ6", f"expect {SECRET}", "send 535 no"],
         "queued", "The mail server refused the login of SMTP_USER (535)."),
        (["send 334 VXNlcm5hbWU6", f"expect {NAME}", "send 535 no", "text"],
         "queued", "The mail server refused the login of SMTP_USER (535)."),
        (["send 504 no", "text"], "queued", "The mail server refused the login of SMTP_USER (504)."),
    ],
    ids=["in", "a wrong password", "a wrong name", "not like this"],
)  # fmt: skip
def test_a_server_that_knows_only_the_older_login(
    put, sender, rows, answers: list[str], state: str, error: str | None
) -> None:
    """Names and passwords are sent only when they are asked for."""
    put("ann@shop.example")
    with Script([*BY_LOGIN, *answers]) as server:
        sender(**plain(server.port), smtp_user=USER, smtp_password=PASSWORD).tick(NOW)
    assert (states(rows), rows()[0]["error"]) == ([state], error)
    assert len(server.texts) == (state == "sent")


def test_what_arrives_is_the_letter_byte_for_byte(put, sender, letter) -> None:
    put("ann@shop.example")
    with mail_server() as server:
        sender(**plain(server.port), public_api_url="https://stock.shop.example/").tick(NOW)
    (_, content) = server.post.kept[0]
    mail = Post.message(content)
    link = mail["List-Unsubscribe"].strip("<>")
    assert link.startswith("https://stock.shop.example/api/reports/unsubscribe/")
    assert {name: str(mail[name]) for name in ("From", "To", "Subject", "Date", "Auto-Submitted")} == {
        "From": "Stock Office <stock@shop.example>",
        "To": "ann@shop.example",
        "Subject": letter.subject,
        "Date": "Mon, 05 Jan 2026 07:00:00 +0000",
        "Auto-Submitted": "auto-generated",
    }
    assert mail["X-StockVerify-Run"] == RUN["_id"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert max(map(len, content.split(b"\r\n"))) < 998
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == letter.text.replace("https://unsubscribe.invalid/", link)
    image = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    page = letter.html.replace("https://unsubscribe.invalid/", link)
    shown = html.get_content().replace("\r\n", "\n").rstrip("\n")
    assert shown == page.replace("cid:chart.png", "cid:" + image["Content-ID"].strip("<>"))
    (attached,) = list(mail.iter_attachments())
    assert (attached.get_filename(), attached.get_content_type()) == ("Größe.csv", "text/csv")
    assert attached.get_payload(decode=True) == "item;menge\r\n00123;5 €\r\n".encode()
    structure = [part.get_content_type() for part in mail.walk()]
    assert structure == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "text/csv",
    ]


def test_addresses_and_domains_are_checked_before_the_server_is_asked(put, sender, rows) -> None:
    put("ann@shop.example", "bob@elsewhere.example", "eve@shop.example\r\nRCPT TO:<x@y.example>", "zoë@shop.example")
    with mail_server() as server:
        sender(**plain(server.port), mail_allowed_domains="shop.example").tick(NOW)
    assert server.post.recipients() == ["ann@shop.example"]
    assert {row["recipient"]: row["state"] for row in rows()} == {
        "ann@shop.example": "sent",
        "bob@elsewhere.example": "failed",
        "eve@shop.example\r\nRCPT TO:<x@y.example>": "failed",
        "zoë@shop.example": "failed",
    }


def test_who_has_unsubscribed_since_gets_no_mail_but_their_own_tests(put, sender, rows, db) -> None:
    put("ann@shop.example", "bob@shop.example")
    test = put("ann@shop.example", run=RUN | {"_id": "r-test"}, kind=DeliveryKind.TEST)
    db["report_schedules"].update_one({}, {"$set": {"unsubscribed": ["Ann@shop.example"]}})
    with mail_server() as server:
        sender(**plain(server.port)).tick(NOW)
    assert server.post.recipients() == ["ann@shop.example", "bob@shop.example"]
    assert {row["_id"]: row["state"] for row in rows()}[test[0]] == "sent"
    assert states(rows).count("cancelled") == 1


def test_settings_that_change_between_two_attempts_do_not_change_the_mail(put, sender) -> None:
    put("ann@shop.example")
    lost = [*HELLO, *ENVELOPE, "text", "drop"]
    with Script(lost, lost) as server:
        settings = plain(server.port)
        sender(**settings).tick(NOW)
        changed = {"mail_from": "other@shop.example", "public_api_url": "https://new.example", "secret": "t" * 32}
        sender(**settings | changed).tick(LATER)
    assert len(server.texts) == 2
    assert server.texts[0] == server.texts[1]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"smtp_host": "mail.shop.example", "smtp_security": "none"}, "SMTP_SECURITY"),
        ({"smtp_host": "mail", "smtp_security": "none-anywhere", "smtp_user": "x"}, "SMTP_SECURITY"),
        ({"smtp_host": "mail", "mail_from": None}, "MAIL_FROM"),
        ({"smtp_host": "mail", "mail_from": "no address"}, "MAIL_FROM"),
        ({"smtp_host": "mail", "mail_from": "A <a@b.example>\r\nBcc: x@y.example"}, "MAIL_FROM"),
        ({"smtp_host": "mail", "mail_from": "a@b.example", "smtp_ca_file": Path("/nowhere.pem")}, "SMTP_CA_FILE"),
    ],
)
def test_settings_that_would_not_work_or_not_be_safe_are_refused_at_the_start(sender, changes, named: str) -> None:
    with pytest.raises(BadSetting, match=named):
        sender(**{"mail_from": "a@b.example", **changes})


def test_unencrypted_mail_leaves_this_machine_only_when_that_was_allowed() -> None:
    allowed = Settings(smtp_host="mail.shop.example", smtp_security="none-anywhere")
    assert server_of(allowed) == Server("mail.shop.example", 587, "none-anywhere", None, None, None)
    assert server_of(Settings()) is None
