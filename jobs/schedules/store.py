"""Schedules in MongoDB, as the worker reads and moves them."""

from collections.abc import Iterable
from datetime import datetime

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database

from jobs.schedules.builtin import builtin
from stockverify.clients import Document
from stockverify.vocabulary import Collection, Role, ScheduleState

Move = tuple[Document, datetime | None]
"""A schedule as it was read, and the due time that it moves on to."""


class ScheduleStore:
    """Reads and writes schedules."""

    def __init__(self, database: Database[Document]) -> None:
        self._schedules, self._users = database[Collection.SCHEDULES], database[Collection.USERS]

    def ensure_builtin(self, zone: str, now: datetime) -> None:
        """Make the schedules of the house that are not there."""
        for each in builtin(zone, now):
            self._schedules.update_one({"_id": each["_id"]}, {"$setOnInsert": each}, upsert=True)

    def due(self, now: datetime, limit: int) -> list[Document]:
        """The active ones whose time has come, longest overdue first."""
        wanted = {"state": ScheduleState.ACTIVE.value, "next_due_at": {"$lte": now}}
        return self._schedules.find(wanted).sort("next_due_at", 1).limit(limit).to_list()

    def move_on(self, moves: Iterable[Move]) -> int:
        """Set the next due times, unless another worker or an edit was faster; how many."""
        writes = [
            UpdateOne(
                {"_id": schedule["_id"], "next_due_at": schedule["next_due_at"]}, {"$set": {"next_due_at": next_due_at}}
            )
            for schedule, next_due_at in moves
        ]
        return self._schedules.bulk_write(writes, ordered=False).modified_count if writes else 0

    def pause(self, schedule: Document, reason: str) -> None:
        """Pause one as it was read."""
        found = {"_id": schedule["_id"], "revision": schedule["revision"]}
        paused = {"state": ScheduleState.PAUSED.value, "paused_reason": reason, "next_due_at": None}
        self._schedules.update_one(found, {"$set": paused})

    def one(self, schedule_id: str, transaction: ClientSession | None = None) -> Document | None:
        """A schedule as it is now."""
        return self._schedules.find_one({"_id": schedule_id}, session=transaction)

    def change(self, schedule_id: str, changes: Document, transaction: ClientSession) -> None:
        """Write what the end of a run changes."""
        self._schedules.update_one({"_id": schedule_id}, {"$set": changes}, session=transaction)

    def owner(self, schedule: Document) -> Document | None:
        """The person whose schedule it is; None when there is none (any more)."""
        return self._users.find_one({"_id": schedule["owner_id"]}, {"role": 1, "is_active": 1})

    def admins(self) -> list[str]:
        """The ids of the people who hear of what concerns nobody else."""
        found = self._users.find({"role": Role.ADMIN.value, "is_active": True}, {"_id": 1})
        return [each["_id"] for each in found]
