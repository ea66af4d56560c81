"""Mails over real SMTP: encrypted, logged in, refused, broken off at each step. What arrived the server counts."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from jobs.mail.letter import Letter, enclosure, keep
from jobs.mail.smtp import Line, Server, server_of
from stockverify.errors import BadSetting
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


def test_a_refused_recipient_costs_only_themselves(put, sender, rows) -> None:
    put("ann@shop.example", "bob@shop.example", "cem@shop.example")
    with mail_server() as server:
        server.post.refuse["bob@shop.example"] = "550 5.1.1 nobody of that name"
        sender(**plain(server.port)).tick(NOW)
    assert server.post.recipients() == ["ann@shop.example", "cem@shop.example"]
    assert states(rows) == ["sent", "failed", "sent"]
    assert (rows()[1]["smtp_reply"], rows()[1]["attempts"]) == ("550 5.1.1 nobody of that name", 1)


def test_a_mail_that_is_refused_after_its_text_fails_at_once(put, sender, rows) -> None:
    put("ann@shop.example")
    with mail_server(Post(lambda number, envelope: "554 looks like spam")) as server:
        sender(**plain(server.port)).tick(NOW)
        sender(**plain(server.port)).tick(LONG)
    assert [(row["state"], row["attempts"]) for row in rows()] == [("failed", 1)]


def test_not_now_and_then_yes(put, sender, rows) -> None:
    put("ann@shop.example")
    with mail_server(Post(lambda number, envelope: "451 later please" if number == 1 else "250 kept")) as server:
        one = sender(**plain(server.port))
        one.tick(NOW)
        (row,) = rows()
        assert (row["state"], row["error"]) == ("queued", "451 later please")
        assert timedelta(seconds=22) < row["next_attempt_at"] - NOW < timedelta(seconds=40)
        one.tick(NOW + timedelta(seconds=20))
        assert server.post.seen == 1
        one.tick(NOW + timedelta(minutes=1))
    assert [(line["state"], line["reply"]) for line in rows()[0]["log"]] == [
        ("queued", ""),
        ("queued", "451 later please"),
        ("sent", "250 kept"),
    ]
    assert list(server.post.counts().values()) == [1]


def test_a_recipient_who_is_greylisted_is_tried_again(put, sender, rows) -> None:
    put("ann@shop.example")
    with mail_server() as server:
        server.post.refuse["ann@shop.example"] = "450 4.2.0 greylisted"
        sender(**plain(server.port)).tick(NOW)
        assert states(rows) == ["queued"]
        server.post.refuse.clear()
        sender(**plain(server.port)).tick(LATER)
    assert states(rows) == ["sent"]


def test_a_server_that_closes_with_421_gets_the_rest_over_another_connection(put, sender, rows) -> None:
    put("ann@shop.example", "bob@shop.example")
    closing = [*HELLO, *ENVELOPE, "text", "send 421 too much today", "drop"]
    well = [*HELLO, *ENVELOPE, "text", "send 250 kept", "expect RSET", "send 250 ok", *ENVELOPE, "text",
            "send 250 kept", *GOODBYE]  # fmt: skip
    with Script(closing, well) as server:
        one = sender(**plain(server.port))
        one.tick(NOW)
        assert states(rows) == ["queued", "queued"]
        assert (rows()[0]["attempts"], rows()[1]["attempts"]) == (1, 0)
        one.tick(LATER)
    assert states(rows) == ["sent", "sent"]


def test_a_server_that_closes_after_each_mail_gets_all(put, sender, rows) -> None:
    put("ann@shop.example", "bob@shop.example")
    once = [*HELLO, *ENVELOPE, "text", "send 250 kept", "drop"]
    with Script(once, once) as server:
        sender(**plain(server.port)).tick(NOW)
    assert (server.connections, states(rows)) == (2, ["sent", "sent"])


BEFORE_THE_DOT = {
    "at once": ["drop"],
    "after the greeting": ["send 220 here", "drop"],
    "after EHLO": [*HELLO, "drop"],
    "after MAIL": [*HELLO, *ENVELOPE[:2], "drop"],
    "after RCPT": [*HELLO, *ENVELOPE[:4], "drop"],
    "after DATA": [*HELLO, *ENVELOPE[:5], "drop"],
}


@pytest.mark.parametrize("script", BEFORE_THE_DOT.values(), ids=BEFORE_THE_DOT)
def test_a_line_that_breaks_before_the_dot_costs_an_attempt_and_leaves_no_doubt(
    put, sender, rows, script: list[str]
) -> None:
    put("ann@shop.example")
    with Script(script) as broken:
        sender(**plain(broken.port)).tick(NOW)
    (row,) = rows()
    assert (row["state"], row["doubts"], row["attempts"], row["data_at"]) == ("queued", 0, 1, None)
    with mail_server() as server:
        sender(**plain(server.port)).tick(LATER)
    assert list(server.post.counts().values()) == [1]
    assert states(rows) == ["sent"]


def test_a_line_that_breaks_within_a_long_text_leaves_no_doubt(outbox, settings, sender, rows, tmp_path) -> None:
    (tmp_path / "long").write_bytes(bytes(20 * 2**20))
    long = Letter(subject="Long", text="", html="", attachments=(enclosure(tmp_path / "long", "a.bin", "text/csv"),))
    keep(settings.mails, "r-long", long, {"a.bin": tmp_path / "long"})
    outbox.put("r-long", long, ["ann@shop.example"], DeliveryKind.REPORT, {"_id": "r-long"}, NOW)
    with Script([*HELLO, *ENVELOPE, "text-no-dot", "drop"]) as broken:
        sender(**plain(broken.port)).tick(NOW)
    (row,) = rows()
    assert (row["state"], row["doubts"], row["data_at"]) == ("queued", 0, None)


def test_a_line_that_breaks_after_the_dot_leaves_a_doubt_and_the_same_mail_is_sent_again(put, sender, rows) -> None:
    put("ann@shop.example")
    lost = [*HELLO, *ENVELOPE, "text", "drop"]
    kept = [*HELLO, *ENVELOPE, "text", "send 250 kept", *GOODBYE]
    with Script(lost, kept) as server:
        one = sender(**plain(server.port))
        one.tick(NOW)
        (row,) = rows()
        assert (row["state"], row["doubts"]) == ("unknown", 1)
        assert row["log"][-1]["reply"].endswith("It is sent again under the same Message-ID.")
        one.tick(LATER)
    (row,) = rows()
    assert (row["state"], row["smtp_reply"]) == ("sent", "250 kept")
    assert row["log"][-1]["reply"] == "250 kept It may have arrived before, under the same Message-ID."
    assert len(server.texts) == 2
    assert server.texts[0] == server.texts[1]


def test_what_is_in_doubt_is_sent_again_at_most_twice_and_its_owner_is_told(put, sender, rows, db) -> None:
    put("ann@shop.example")
    lost = [*HELLO, *ENVELOPE, "text", "drop"]
    with Script(lost, lost, lost, lost) as server:
        one = sender(**plain(server.port))
        for days in range(4):
            one.tick(NOW + timedelta(days=days))
        reports = [text for text in server.texts if b"X-StockVerify-Run" in text]
    assert len(reports) == 3
    assert len(set(reports)) == 1
    (row,) = rows()
    assert (row["state"], row["doubts"], row["next_attempt_at"]) == ("unknown", 3, None)
    (notice,) = db["report_deliveries"].find({"kind": "notice"})
    assert (notice["recipient"], notice["subject"]) == ("olga@shop.example", "Not delivered: Variance")


def test_what_was_in_doubt_never_counts_as_failed(put, sender, rows) -> None:
    put("ann@shop.example")
    with Script([*HELLO, *ENVELOPE, "text", "drop"]) as server:
        sender(**plain(server.port)).tick(NOW)
    with mail_server(Post(lambda number, envelope: "550 seen that before")) as server:
        sender(**plain(server.port)).tick(LATER)
    (row,) = rows()
    assert (row["state"], row["next_attempt_at"]) == ("unknown", None)
    assert row["error"] == "550 seen that before It may have arrived before, under the same Message-ID."


def test_a_server_that_stalls_costs_an_attempt_before_the_dot_and_a_doubt_after_it(put, sender, rows) -> None:
    put("ann@shop.example")
    impatient = partial(Line, timeout=0.3, patience=0.3)
    with Script([*HELLO, *ENVELOPE[:3], "stall"]) as server:
        sender(**plain(server.port), line=impatient).tick(NOW)
    assert (rows()[0]["state"], rows()[0]["doubts"]) == ("queued", 0)
    assert "timed out" in rows()[0]["error"]
    with Script([*HELLO, *ENVELOPE, "text", "stall"]) as server:
        sender(**plain(server.port), line=impatient).tick(LATER)
    assert (rows()[0]["state"], rows()[0]["doubts"]) == ("unknown", 1)


def test_a_server_that_replies_nonsense_after_the_dot_leaves_a_doubt(put, sender, rows) -> None:
    put("ann@shop.example")
    with Script([*HELLO, *ENVELOPE, "text", "send hello?", "drop"]) as server:
        sender(**plain(server.port)).tick(NOW)
    assert states(rows) == ["unknown"]


def test_a_server_that_is_away_costs_one_attempt_of_one_mail_a_tick(put, sender, rows) -> None:
    put("ann@shop.example", "bob@shop.example")
    with Script() as gone:
        port = gone.port
    sender(**plain(port)).tick(NOW)
    assert [row["attempts"] for row in rows()] == [1, 0]
    assert "refused" in rows()[0]["error"]


def test_given_up_after_the_last_attempt_with_one_notice_for_the_run(put, sender, rows, db) -> None:
    put("ann@shop.example", "bob@shop.example")
    with mail_server() as server:
        server.post.refuse = dict.fromkeys(("ann@shop.example", "bob@shop.example"), "450 later")
        one = sender(**plain(server.port), mail_max_attempts=3)
        for days in range(5):
            one.tick(NOW + timedelta(days=days))
    assert states(rows) == ["failed", "failed"]
    assert [row["attempts"] for row in rows()] == [3, 3]
    assert rows()[0]["error"] == "Given up after 3 attempts; the last one: 450 later"
    assert [to for to, _ in server.post.kept] == ["olga@shop.example"]
    assert db["report_deliveries"].count_documents({"kind": "notice"}) == 1


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
