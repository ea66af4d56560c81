"""The outbox: one row for each run and recipient, however often and by how many it is put in."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jobs.mail.letter import opened
from jobs.mail.outbox import Outbox
from stockverify.settings import Settings
from stockverify.vocabulary import DeliveryKind
from tests.jobs.mail.conftest import NOW, RUN, SCHEDULE

ANN, BOB = "ann@shop.example", "bob@shop.example"


def put(outbox: Outbox, letter: Any, *recipients: str, kind: DeliveryKind = DeliveryKind.REPORT) -> int:
    return outbox.put(RUN["_id"], letter, recipients, kind, RUN, NOW)


def test_a_row_says_all_about_its_mail(outbox: Outbox, letter, rows) -> None:
    assert put(outbox, letter, ANN) == 1
    (row,) = rows()
    (line,) = row.pop("log")
    assert line == {"at": NOW, "state": "queued", "reply": ""}
    assert row.pop("message_id").endswith("@stockverify.invalid>")
    assert row.pop("attachments")[0]["name"] == "Größe.csv"
    assert row == {
        "_id": f"{RUN['_id']}:6a0bf011a1fc1e9a",
        "run_id": RUN["_id"],
        "schedule_id": SCHEDULE["_id"],
        "schedule_name": "Variance",
        "owner_id": "u-owner",
        "kind": "report",
        "recipient": ANN,
        "recipient_key": ANN,
        "subject": letter.subject,
        "letter": RUN["_id"],
        "state": "queued",
        "attempts": 0,
        "doubts": 0,
        "next_attempt_at": NOW,
        "lease_until": None,
        "worker": None,
        "data_at": None,
        "smtp_reply": None,
        "error": None,
        "snapshot_id": letter.snapshot_id,
        "as_of": NOW,
        "created_at": NOW,
        "sent_at": None,
    }


def test_putting_in_again_adds_only_what_is_missing(outbox: Outbox, letter, rows, db) -> None:
    put(outbox, letter, ANN)
    db["report_deliveries"].update_many({}, {"$set": {"state": "sent"}})
    assert put(outbox, letter, "Ann@Shop.Example", BOB, BOB) == 2
    assert [(row["recipient"], row["state"]) for row in rows()] == [(ANN, "sent"), (BOB, "queued")]


def test_many_that_put_in_at_once_leave_one_row_each(outbox: Outbox, letter, rows) -> None:
    recipients = [f"p{number}@shop.example" for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: put(outbox, letter, *recipients), range(16)))
    assert counts == [20] * 16
    assert sorted(row["recipient"] for row in rows()) == sorted(recipients)


def test_who_has_unsubscribed_gets_none_but_tests(outbox: Outbox, letter, rows, db) -> None:
    db["report_schedules"].update_one({}, {"$set": {"unsubscribed": [ANN]}})
    assert put(outbox, letter, "ANN@shop.example", BOB) == 1
    assert [row["recipient"] for row in rows()] == [BOB]
    assert put(outbox, letter, ANN, kind=DeliveryKind.TEST) == 1


def test_of_a_schedule_that_is_gone_the_copy_in_the_run_counts(outbox: Outbox, letter, rows, db) -> None:
    db["report_schedules"].delete_many({})
    run = RUN | {"schedule": SCHEDULE | {"unsubscribed": [ANN]}}
    assert outbox.put(RUN["_id"], letter, [ANN, BOB], DeliveryKind.REPORT, run, NOW) == 1
    assert [row["recipient"] for row in rows()] == [BOB]


def test_nobody_is_nobody(outbox: Outbox, letter, rows) -> None:
    assert (put(outbox, letter), rows()) == (0, [])


def test_one_notice_for_each_occasion(outbox: Outbox, settings: Settings, db) -> None:
    told = [outbox.notify("paused:sch-1", "u-owner", "Paused\r\nBcc: x", "It failed.\n\n<b>Why</b>", NOW) for _ in "ab"]
    assert told == [True, False]
    (row,) = db["report_deliveries"].find()
    assert (row["_id"], row["kind"], row["recipient"]) == ("notice:paused:sch-1", "notice", "olga@shop.example")
    letter = opened(settings.mails, row["letter"])
    assert letter.subject == "Paused Bcc: x"
    assert "<p>It failed.</p><p>&lt;b&gt;Why&lt;/b&gt;</p>" in letter.html


@pytest.mark.parametrize("user_id", ["u-nobody", "u-silent"])
def test_a_notice_to_somebody_without_an_address_is_kept_as_failed(outbox: Outbox, db, user_id: str) -> None:
    db["users"].insert_one({"_id": "u-silent", "username": "sven", "email": None})
    assert outbox.notify("paused:sch-1", user_id, "Paused", "It failed.", NOW)
    (row,) = db["report_deliveries"].find()
    assert (row["state"], row["next_attempt_at"]) == ("failed", None)
    assert "has no e-mail address" in row["error"]
