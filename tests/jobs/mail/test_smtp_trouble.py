"""Mails over real SMTP that go wrong: refused, put off, broken off at each step. What arrived the server counts."""

from datetime import timedelta
from functools import partial

import pytest

from jobs.mail.letter import Letter, enclosure, keep
from jobs.mail.smtp import Line
from stockverify.vocabulary import DeliveryKind
from tests.jobs.mail.conftest import NOW, plain
from tests.jobs.mail.servers import (
    ENVELOPE,
    GOODBYE,
    HELLO,
    Post,
    Script,
    mail_server,
)

LATER = NOW + timedelta(hours=2)
LONG = NOW + timedelta(days=2)


def states(rows) -> list[str]:
    return [row["state"] for row in rows()]


def test_a_refused_recipient_costs_only_themselves_and_is_not_logged(put, sender, rows, capsys) -> None:
    put("ann@shop.example", "bob@shop.example", "cem@shop.example")
    with mail_server() as server:
        server.post.refuse["bob@shop.example"] = "550 5.1.1 no bob@shop.example here"
        sender(**plain(server.port)).tick(NOW)
    assert server.post.recipients() == ["ann@shop.example", "cem@shop.example"]
    assert states(rows) == ["sent", "failed", "sent"]
    assert (rows()[1]["smtp_reply"], rows()[1]["attempts"]) == ("550 5.1.1 no bob@shop.example here", 1)
    logged = capsys.readouterr().out
    assert "550 5.1.1 no (the recipient) here" in logged
    assert "@shop.example" not in logged


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
        sender(**plain(broken.port), mail_max_attempts=1).tick(NOW)
    (row,) = rows()
    assert (row["state"], row["doubts"], row["data_at"], row["outage"]) == ("failed", 0, None, False)


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


TO_RCPT, TO_TEXT = [*HELLO, *ENVELOPE[:3]], [*HELLO, *ENVELOPE, "text"]
GIVEN_UP: dict[str, tuple[list[str], bool]] = {
    "nobody is there": (["drop"], True),
    "it is busy": (["send 421 busy"], True),
    "it breaks off": ([*HELLO, "drop"], True),
    "it refuses our login": ([*HELLO[:2], "send 250-here", "send 250 AUTH LOGIN", "expect AUTH", "send 535 no"], True),
    "it wants nothing of ours": ([*HELLO, "expect MAIL", "send 550 go away"], True),
    "it closes at the recipient": ([*TO_RCPT, "send 421 closing"], True),
    "it closes after the text": ([*TO_TEXT, "send 421 closing"], True),
    "the recipient, later": ([*TO_RCPT, "send 450 later"], False),
    "the recipient, never": ([*TO_RCPT, "send 550 never"], False),
    "the text, later": ([*TO_TEXT, "send 451 later"], False),
}


@pytest.mark.parametrize(("script", "outage"), GIVEN_UP.values(), ids=GIVEN_UP)
def test_a_mail_that_was_given_up_says_whether_any_other_would_have_got_through(
    put, sender, rows, script: list[str], outage: bool
) -> None:
    put("ann@shop.example")
    with Script(script) as server:
        login = {"smtp_user": "stock", "smtp_password": "secret"} if "expect AUTH" in script else {}
        sender(**plain(server.port), **login, mail_max_attempts=1).tick(NOW)
    (row,) = rows()
    assert (row["state"], row["outage"]) == ("failed", outage)


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
