"""The rows of the outbox in MongoDB: who has which mail in hand, until when, and how each attempt ended.

Leases are by the server's clock. Every later write asks for the worker and for the number of the attempt, so that a
sender which lost a mail to another can neither hand it over nor write over the other's outcome.
"""

from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.database import Database

from jobs.mail import rows
from jobs.mail.outcomes import Step
from stockverify.addresses import same
from stockverify.clients import Document
from stockverify.vocabulary import Collection, DeliveryKind, DeliveryState

LEASE_SECONDS = 180.0
_LOG_LINES = 50
_WAITING = [DeliveryState.QUEUED.value, DeliveryState.UNKNOWN.value]
_LAPSED = {"state": DeliveryState.SENDING.value, "$expr": {"$lt": ["$lease_until", "$$NOW"]}}
_HELD = {"$expr": {"$gt": ["$lease_until", "$$NOW"]}}


class DeliveryStore:
    """Reads and writes deliveries for senders."""

    def __init__(self, database: Database[Document], lease: float = LEASE_SECONDS) -> None:
        self._rows, self._schedules = database[Collection.DELIVERIES], database[Collection.SCHEDULES]
        self._lease = {"$add": ["$$NOW", round(lease * 1000)]}

    def take(self, worker: str, now: datetime) -> Document | None:
        """The mail that is due for the longest, now in this sender's hands."""
        held = {
            "state": DeliveryState.SENDING.value,
            "worker": worker,
            "lease_until": self._lease,
            "attempts": {"$add": ["$attempts", 1]},
            "data_at": None,
        }
        return self._rows.find_one_and_update(
            {"state": {"$in": _WAITING}, "next_attempt_at": {"$lte": now}},
            [{"$set": held}],
            sort=[("next_attempt_at", 1)],
            return_document=ReturnDocument.AFTER,
        )

    def settle(self, row: Document, mail: Document) -> bool:
        """Write down what the mail is made of besides its letter, for all attempts; false when another has it now."""
        return self._changed(_mine(row), [{"$set": {"mail": mail}}])

    def hold(self, row: Document) -> bool:
        """Hold on to a mail that takes long to transmit; false when another has it now."""
        return self._changed(_mine(row), [{"$set": {"lease_until": self._lease}}])

    def hand_over(self, row: Document) -> bool:
        """Write down that the dot is about to be sent; false when it must not be, because another has the mail now."""
        return self._changed(_mine(row) | _HELD, [{"$set": {"data_at": "$$NOW", "lease_until": self._lease}}])

    def finish(self, row: Document, step: Step, now: datetime) -> bool:
        """Write down how an attempt ended; false when another has it now."""
        return self._changed(_mine(row), _written(step, now))

    def left_behind(self) -> list[Document]:
        """Mails whose sender has gone silent."""
        return list(self._rows.find(_LAPSED).limit(100))

    def untold(self) -> list[Document]:
        """Mails that ended badly, of which their owner has not been told."""
        return list(self._rows.find({"notice_due": True}).limit(100))

    def told(self, row: Document) -> None:
        """Their owner knows."""
        self._rows.update_one({"_id": row["_id"]}, {"$unset": {"notice_due": ""}})

    def recover(self, row: Document, step: Step, now: datetime) -> bool:
        """Write down what became of such a mail; false when somebody was faster."""
        return self._changed(_mine(row) | _LAPSED, _written(step, now))

    def silent(self, row: Document) -> bool:
        """Whether the recipient has unsubscribed since the mail was put in; for a test it does not count."""
        if row["kind"] != DeliveryKind.REPORT or not row["schedule_id"]:
            return False
        schedule = self._schedules.find_one({"_id": row["schedule_id"]}, {"unsubscribed": 1}) or {}
        return same(row["recipient"]) in {same(each) for each in schedule.get("unsubscribed") or ()}

    def _changed(self, wanted: Document, change: Any) -> bool:
        return self._rows.update_one(wanted, change).matched_count == 1


def _mine(row: Document) -> Document:
    return {
        "_id": row["_id"],
        "state": DeliveryState.SENDING.value,
        "worker": row["worker"],
        "attempts": row["attempts"],
    }


def _written(step: Step, now: datetime) -> Document:
    line = rows.entry(now, step.state, step.said)
    due = {"notice_due": True} if step.bad else {}
    return {
        "$set": step.changes | due | {"lease_until": None},
        "$push": {"log": {"$each": [line], "$slice": -_LOG_LINES}},
    }
