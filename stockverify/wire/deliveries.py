"""Mails: what is to be sent to whom, and what became of it."""

from stockverify.wire.common import Reply
from stockverify.wire.reports import Pagination


class MailedFile(Reply, frozen=True, kw_only=True):
    """A file that is attached to a mail."""

    name: str
    bytes: int
    sha256: str


class DeliveryNote(Reply, frozen=True, kw_only=True):
    """A line of a mail's log: what was said at one attempt, and how the mail stood after it."""

    at: float
    state: str
    said: str


class Delivery(Reply, frozen=True, kw_only=True):
    """A mail to one recipient. `state` is queued, sending, sent, unknown, failed or cancelled; `next_attempt_at` is
    null when none follows."""

    delivery_id: str
    kind: str
    state: str
    recipient: str
    subject: str
    run_id: str | None
    schedule_id: str | None
    schedule_name: str | None
    snapshot_id: str | None
    as_of: float | None
    created_at: float
    sent_at: float | None
    next_attempt_at: float | None
    attempts: int
    smtp_reply: str | None
    error: str | None
    message_id: str
    attachments: list[MailedFile]


class DeliveryInFull(Delivery, frozen=True, kw_only=True):
    """The same with its log. `readable` says whether its letter is still kept, so that it can be read or sent again."""

    log: list[DeliveryNote]
    readable: bool


class Deliveries(Reply, frozen=True, kw_only=True):
    """Mails, newest first."""

    deliveries: list[Delivery]
    pagination: Pagination
