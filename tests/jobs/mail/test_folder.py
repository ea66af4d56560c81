"""Without a mail server: mails in a folder, and what is swept away of them."""

import os
from datetime import timedelta
from email.policy import default
from pathlib import Path

import pytest

from jobs.mail.letter import Letter, keep
from jobs.mail.sweep import sweep
from stockverify import letters
from stockverify.settings import Settings
from stockverify.vocabulary import DeliveryKind
from tests.jobs.mail.conftest import NOW, RUN
from tests.jobs.mail.servers import Post

DAY = timedelta(days=1)


def mails(settings: Settings) -> list[Path]:
    return sorted(settings.outbox.glob("*.eml"))


def test_mails_are_readable_files_and_listed(put, sender, rows, settings: Settings) -> None:
    put("ann@shop.example", "bob@shop.example")
    sender().tick(NOW)
    assert [(row["state"], row["smtp_reply"]) for row in rows()] == [("sent", "written to outbox folder")] * 2
    ann, bob = mails(settings)
    assert ann.name.startswith("20260105T070000Z_ann@shop.example_")
    mail = Post.message(ann.read_bytes())
    assert (mail["To"], mail["From"]) == ("ann@shop.example", "StockVerify <stockverify@localhost>")
    body = mail.get_body(("plain",))
    assert body is not None
    assert f"{settings.api_link()}/api/reports/unsubscribe/" in body.get_content()
    page = (settings.outbox / "index.html").read_text()
    assert page.index(bob.name) < page.index(ann.name)
    assert "Variance — as of 5 January, 08:00" in page


def test_a_subject_cannot_write_into_the_list(outbox, settings: Settings, sender) -> None:
    letter = Letter(subject="<script>alert(1)</script>", text="", html="")
    keep(settings.mails, "r-1", letter, {})
    outbox.put("r-1", letter, ["ann@shop.example"], DeliveryKind.REPORT, {"_id": "r-1"}, NOW)
    sender().tick(NOW)
    assert "<script>" not in (settings.outbox / "index.html").read_text()


def test_a_sender_that_dies_after_writing_leaves_one_file(put, sender, rows, settings: Settings, db) -> None:
    (delivery_id,) = put("ann@shop.example")
    sender().tick(NOW)
    first = mails(settings)[0].read_bytes()
    died = {"state": "sending", "data_at": NOW, "lease_until": NOW, "sent_at": None}
    db["report_deliveries"].update_one({"_id": delivery_id}, {"$set": died})
    one = sender()
    one.tick(NOW)
    one.tick(NOW + DAY)
    assert rows()[0]["state"] == "sent"
    assert [path.read_bytes() for path in mails(settings)] == [first]


def test_a_folder_that_cannot_be_written_is_tried_again(put, sender, rows, settings: Settings) -> None:
    put("ann@shop.example")
    settings.outbox.parent.mkdir(parents=True, exist_ok=True)
    settings.outbox.write_text("in the way")
    sender().tick(NOW)
    assert rows()[0]["state"] == "queued"
    put("bob@shop.example")
    sender(mail_max_attempts=1).tick(NOW)
    assert (rows()[1]["state"], rows()[1]["outage"]) == ("failed", True)
    settings.outbox.unlink()
    sender().tick(NOW + DAY)
    assert rows()[0]["state"] == "sent"


def test_a_letter_that_is_damaged_is_not_sent(put, sender, rows, settings: Settings) -> None:
    put("ann@shop.example")
    (letters.folder(settings.mails, RUN["_id"]) / "Größe.csv").write_text("changed")
    sender().tick(NOW)
    (row,) = rows()
    assert (row["state"], row["attempts"]) == ("failed", 1)
    assert row["error"] == "The letter of this mail is damaged: Größe.csv is not what was written."


def test_a_letter_that_cannot_be_read_at_the_moment_is_tried_again(put, sender, rows, settings: Settings) -> None:
    put("ann@shop.example")
    words = letters.folder(settings.mails, RUN["_id"]) / "letter.json"
    kept = words.read_bytes()
    words.unlink()
    words.mkdir()
    sender().tick(NOW)
    assert (rows()[0]["state"], rows()[0]["error"]) == ("queued", "The letter cannot be read: Is a directory.")
    words.rmdir()
    words.write_bytes(kept)
    sender().tick(NOW + DAY)
    assert rows()[0]["state"] == "sent"


def test_one_mail_that_cannot_be_made_costs_only_itself(put, sender, rows, db) -> None:
    ids = put("ann@shop.example", "bob@shop.example")
    db["report_deliveries"].update_one({"_id": ids[0]}, {"$unset": {"message_id": ""}})
    sender().tick(NOW)
    assert [row["state"] for row in rows()] == ["failed", "sent"]
    assert rows()[0]["error"] == "The mail cannot be made: KeyError."


def _aged(path: Path) -> None:
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))


@pytest.mark.parametrize(("state", "next_attempt", "kept"), [
    ("sent", False, False), ("failed", False, False), ("cancelled", False, False), ("unknown", False, False),
    ("unknown", True, True), ("queued", True, True), ("sending", True, True),
])  # fmt: skip
def test_letters_are_kept_for_their_time_and_while_they_may_be_sent(
    put, db, settings: Settings, state: str, next_attempt: bool, kept: bool
) -> None:
    put("ann@shop.example")
    folder = letters.folder(settings.mails, RUN["_id"])
    _aged(folder)
    changes = {"state": state, "next_attempt_at": NOW if next_attempt else None}
    db["report_deliveries"].update_many({}, {"$set": changes})
    assert sweep(db, settings, NOW + 89 * DAY) == []
    assert sweep(db, settings, NOW + 91 * DAY) == ([] if kept else [folder.name])
    assert folder.exists() == kept


def test_old_files_and_left_drafts_are_swept(put, sender, db, settings: Settings) -> None:
    put("ann@shop.example")
    sender().tick(NOW)
    (mail,) = mails(settings)
    draft = settings.mails / ".r-1.99-abcd.tmp"
    draft.mkdir()
    for path in (mail, draft):
        _aged(path)
    sweep(db, settings, NOW + DAY)
    assert (draft.exists(), mail.exists()) == (False, True)
    sweep(db, settings, NOW + 91 * DAY)
    assert (mail.exists(), (settings.outbox / "index.html").exists()) == (False, True)


def test_headers_are_what_the_library_reads_back(put, sender, settings: Settings, letter) -> None:
    put("ann@shop.example")
    sender(mail_from="Lager Süd <lager@shop.example>").tick(NOW)
    mail = Post.message(mails(settings)[0].read_bytes())
    assert default.header_factory("From", str(mail["From"])).addresses[0].display_name == "Lager Süd"
    assert mail["Subject"] == letter.subject
