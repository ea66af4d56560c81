"""Pure decisions about deliveries: what a list is asked for, how one is shown, who may send again or cancel."""

from datetime import datetime
from urllib.parse import quote

from ingest.auth.rules import Caller
from stockverify.clients import Document, as_stored
from stockverify.errors import Forbidden, NotFound, Refused
from stockverify.vocabulary import DeliveryKind, DeliveryState, Role
from stockverify.wire.deliveries import Delivery, DeliveryInFull, DeliveryNote, MailedFile

AGAIN = (DeliveryState.FAILED, DeliveryState.UNKNOWN)
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; sandbox"
HEADERS = {
    "Content-Security-Policy": f"{_POLICY} allow-popups",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}
"""A letter is shown without scripts, forms and anything from elsewhere, whatever somebody got into it."""


OCTETS = "application/octet-stream"
"""Files of mails are not for browsers, whatever they hold."""


class DeliveryUnknown(NotFound):
    """There is no delivery {delivery_id}. GET /api/reports/deliveries lists all."""


class FileUnknown(NotFound):
    """Delivery {delivery_id} has no file {name!r}."""


class NotYourDelivery(Forbidden):
    """Delivery {delivery_id} belongs to a schedule of somebody else; its owner or an admin may do this."""


class NotToBeSentAgain(Refused):
    """Delivery {delivery_id} is {state}; only one that failed, or whose fate is unknown, can be sent again."""


class NotToBeCancelled(Refused):
    """Delivery {delivery_id} is {state} already, so it cannot be cancelled."""


def attached(name: str) -> dict[str, str]:
    """What tells a browser to keep a file under its name."""
    return {"Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}"}


def wanted(run: str | None, schedule: str | None, state: DeliveryState | None, kind: DeliveryKind | None) -> Document:
    """What a list is asked for."""
    asked = {"run_id": run, "schedule_id": schedule, "state": state and state.value, "kind": kind and kind.value}
    return {name: value for name, value in asked.items() if value is not None}


def may_change(row: Document, caller: Caller) -> None:
    """Raises NotYourDelivery unless it is of the caller's schedule, or the caller an admin."""
    if caller.role is not Role.ADMIN and row.get("owner_id") != caller.user_id:
        raise NotYourDelivery(delivery_id=row["_id"])


def again(row: Document, caller: Caller, now: datetime) -> Document:
    """What is written when one is to be sent again: with all attempts before it, and two more doubts if it may have
    arrived. Raises NotToBeSentAgain."""
    if row["state"] not in AGAIN:
        raise NotToBeSentAgain(delivery_id=row["_id"], state=row["state"])
    in_doubt = row["state"] == DeliveryState.UNKNOWN
    state = DeliveryState.UNKNOWN if in_doubt else DeliveryState.QUEUED
    changes = {"state": state.value, "attempts": 0, "doubts": int(in_doubt), "next_attempt_at": as_stored(now)}
    words = f"{caller.username} asked for another attempt." + (" It may have arrived before." if in_doubt else "")
    return {"$set": changes, "$push": {"log": note(state, words, now)}}


def cancelled(words: str, now: datetime) -> Document:
    """What is written when one is not to be sent."""
    changes = {"state": DeliveryState.CANCELLED.value, "next_attempt_at": None}
    return {"$set": changes, "$push": {"log": note(DeliveryState.CANCELLED, words, now)}}


def note(state: DeliveryState, said: str, now: datetime) -> Document:
    """A line of a mail's log."""
    return {"at": as_stored(now), "state": state.value, "reply": said}


def shown(row: Document) -> Delivery:
    """One as lists show it."""
    return Delivery(**_fields(row))


def in_full(row: Document, readable: bool) -> DeliveryInFull:
    """One with its log."""
    log = [DeliveryNote(at=line["at"].timestamp(), state=line["state"], said=line["reply"]) for line in row["log"]]
    return DeliveryInFull(**_fields(row), log=log, readable=readable)


def _fields(row: Document) -> Document:
    times = ("as_of", "created_at", "sent_at", "next_attempt_at")
    same = set(Delivery.__struct_fields__) - {"delivery_id", "attachments", *times}
    files = [MailedFile(**each) for each in row["attachments"]]
    instants = {name: value.timestamp() if (value := row[name]) else None for name in times}
    return {name: row[name] for name in same} | instants | {"delivery_id": row["_id"], "attachments": files}
