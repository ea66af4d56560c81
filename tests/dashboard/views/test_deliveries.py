"""Mails as tables and words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.views.deliveries import (
    COLORS,
    KINDS,
    MEANINGS,
    STATES,
    log,
    may_be_cancelled,
    may_go_again,
    said,
    table,
)
from stockverify.vocabulary import DeliveryKind, DeliveryState
from stockverify.wire.deliveries import DeliveryInFull, DeliveryNote, MailedFile


def mail(**changes: Any) -> DeliveryInFull:
    same: dict[str, Any] = {
        "delivery_id": "m-1",
        "kind": "report",
        "state": "sent",
        "recipient": "ann@shop.example",
        "subject": "Morning",
        "run_id": "r-1",
        "schedule_id": "sch-1",
        "schedule_name": "Morning",
        "snapshot_id": "s-1",
        "as_of": 0.0,
        "created_at": 0.0,
        "sent_at": 60.0,
        "next_attempt_at": None,
        "attempts": 2,
        "smtp_reply": "250 OK",
        "error": None,
        "message_id": "<a@b>",
        "attachments": [MailedFile(name="a.csv", bytes=1, sha256="0" * 64)],
        "log": [
            DeliveryNote(at=0.0, state="queued", said="451 later"),
            DeliveryNote(at=60.0, state="sent", said="250"),
        ],
        "readable": True,
    }
    return DeliveryInFull(**(same | changes))


def test_every_state_and_kind_has_words() -> None:
    for words in (STATES, MEANINGS, COLORS):
        assert set(words) == set(DeliveryState)
    assert set(KINDS) == set(DeliveryKind)


def test_a_row_has_what_was_said_last() -> None:
    (row,) = table([mail()]).to_dicts()
    assert row == {
        "created_at": datetime(1970, 1, 1, tzinfo=UTC),
        "state": "Sent",
        "recipient": "ann@shop.example",
        "subject": "Morning",
        "kind": "Report",
        "said": "250 OK",
        "sent_at": datetime(1970, 1, 1, 0, 1, tzinfo=UTC),
        "next_attempt_at": None,
        "attempts": 2,
        "files": 1,
    }
    assert table([]).height == 0
    assert said(mail(error="550 no such user")) == "550 no such user"
    assert said(mail(smtp_reply=None)) == ""


def test_the_log_is_in_order() -> None:
    assert log(mail().log).select("state", "said").rows() == [("Waiting", "451 later"), ("Sent", "250")]


@pytest.mark.parametrize(
    ("state", "readable", "again", "cancel"),
    [
        ("queued", True, False, True),
        ("sending", True, False, False),
        ("sent", True, False, False),
        ("unknown", True, True, False),
        ("failed", True, True, False),
        ("failed", False, False, False),
        ("cancelled", True, False, False),
    ],
)
def test_what_may_be_done_with_a_mail(state: str, readable: bool, again: bool, cancel: bool) -> None:
    found = mail(state=state, readable=readable)
    assert (may_go_again(found), may_be_cancelled(found)) == (again, cancel)
