"""Pure: the rows of the outbox, one for each run and recipient, as they are put there."""

import hashlib
from datetime import datetime

from stockverify.addresses import same
from stockverify.clients import Document, as_stored
from stockverify.letters import Letter
from stockverify.vocabulary import DeliveryKind, DeliveryState


def of_run(run_id: str, recipient: str) -> str:
    """The id of the one mail of a run to a recipient."""
    return f"{run_id}:{short(same(recipient))}"


def message_id(delivery_id: str) -> str:
    """The Message-ID of a mail: the same at every attempt, so that who gets it twice can tell."""
    return f"<{hashlib.sha256(delivery_id.encode()).hexdigest()[:40]}@stockverify.invalid>"


def delivery(
    delivery_id: str, letter_id: str, letter: Letter, recipient: str, kind: DeliveryKind, now: datetime
) -> Document:
    """A mail that waits to be sent."""
    return {
        "_id": delivery_id,
        "run_id": None,
        "schedule_id": None,
        "schedule_name": None,
        "owner_id": None,
        "kind": kind.value,
        "recipient": recipient,
        "recipient_key": same(recipient),
        "subject": letter.subject,
        "letter": letter_id,
        "message_id": message_id(delivery_id),
        "state": DeliveryState.QUEUED.value,
        "attempts": 0,
        "doubts": 0,
        "next_attempt_at": as_stored(now),
        "lease_until": None,
        "worker": None,
        "data_at": None,
        "smtp_reply": None,
        "error": None,
        "attachments": [{"name": each.name, "sha256": each.sha256, "bytes": each.bytes} for each in letter.attachments],
        "snapshot_id": letter.snapshot_id,
        "as_of": letter.as_of,
        "created_at": as_stored(now),
        "sent_at": None,
        "log": [entry(now, DeliveryState.QUEUED, "")],
    }


def belongs_to(run: Document) -> Document:
    """What a row says of the run that it is of, and of its schedule."""
    schedule = run.get("schedule") or {}
    return {
        "run_id": run["_id"],
        "schedule_id": run.get("schedule_id"),
        "schedule_name": schedule.get("name"),
        "owner_id": schedule.get("owner_id"),
    }


def entry(now: datetime, state: DeliveryState, said: str) -> Document:
    """A line of a mail's log."""
    return {"at": as_stored(now), "state": state.value, "reply": said[:500]}


def short(text: str) -> str:
    """A name for a text: the same each time, and safe wherever names are written."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
