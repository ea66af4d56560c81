"""Mails and their logs, in words and as tables."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import polars as pl

from stockverify.vocabulary import DeliveryKind, DeliveryState
from stockverify.wire.deliveries import Delivery, DeliveryInFull, DeliveryNote

STATES = {
    DeliveryState.QUEUED: "Waiting",
    DeliveryState.SENDING: "Being sent",
    DeliveryState.SENT: "Sent",
    DeliveryState.UNKNOWN: "Unknown",
    DeliveryState.FAILED: "Failed",
    DeliveryState.CANCELLED: "Cancelled",
}
MEANINGS = {
    DeliveryState.QUEUED: "It waits for its first attempt, or for the next one.",
    DeliveryState.SENDING: "A sender has it in hand just now.",
    DeliveryState.SENT: "The mail server took it, or it was written to the outbox folder.",
    DeliveryState.UNKNOWN: "The mail server had the whole text, but its reply was lost: the mail may have arrived.",
    DeliveryState.FAILED: "It was refused for good, or given up after too many attempts.",
    DeliveryState.CANCELLED: "Somebody cancelled it, or its recipient unsubscribed.",
}
KINDS = {DeliveryKind.REPORT: "Report", DeliveryKind.TEST: "Test", DeliveryKind.NOTICE: "Notice"}
Color = Literal["green", "orange", "red", "blue", "gray"]
COLORS: Mapping[DeliveryState, Color] = {
    DeliveryState.QUEUED: "blue",
    DeliveryState.SENDING: "blue",
    DeliveryState.SENT: "green",
    DeliveryState.UNKNOWN: "orange",
    DeliveryState.FAILED: "red",
    DeliveryState.CANCELLED: "gray",
}
_AGAIN = (DeliveryState.FAILED, DeliveryState.UNKNOWN)
_INSTANT = pl.Datetime("ms", "UTC")
_LIST: Mapping[str, Any] = {
    "created_at": _INSTANT,
    "state": pl.String,
    "recipient": pl.String,
    "subject": pl.String,
    "kind": pl.String,
    "said": pl.String,
    "sent_at": _INSTANT,
    "next_attempt_at": _INSTANT,
    "attempts": pl.Int64,
    "files": pl.Int64,
}
_LOG: Mapping[str, Any] = {"at": _INSTANT, "state": pl.String, "said": pl.String}


def table(found: Iterable[Delivery]) -> pl.DataFrame:
    """A row for each mail, with what was said last."""
    return pl.DataFrame([_row(each) for each in found], schema=_LIST)


def log(found: Iterable[DeliveryNote]) -> pl.DataFrame:
    """A row for each attempt, and whatever else befell a mail."""
    rows = [{"at": _instant(each.at), "state": state(each.state), "said": each.said} for each in found]
    return pl.DataFrame(rows, schema=_LOG)


def state(name: str) -> str:
    """A state in a word."""
    return STATES[DeliveryState(name)]


def said(mail: Delivery) -> str:
    """What went wrong, else what the mail server said."""
    return mail.error or mail.smtp_reply or ""


def name(mail: Delivery) -> str:
    """A mail in a list."""
    return f"{mail.recipient or 'nobody'} · {mail.subject}"


def may_go_again(mail: DeliveryInFull) -> bool:
    """Whether it can be sent again: it failed or is in doubt, and its letter is still kept."""
    return mail.state in _AGAIN and mail.readable


def may_be_cancelled(mail: Delivery) -> bool:
    """Whether it still waits."""
    return mail.state == DeliveryState.QUEUED


def _row(each: Delivery) -> dict[str, Any]:
    return {
        "created_at": _instant(each.created_at),
        "state": state(each.state),
        "recipient": each.recipient,
        "subject": each.subject,
        "kind": KINDS[DeliveryKind(each.kind)],
        "said": said(each),
        "sent_at": _instant(each.sent_at),
        "next_attempt_at": _instant(each.next_attempt_at),
        "attempts": each.attempts,
        "files": len(each.attachments),
    }


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
