"""Tells people what they must know of runs that ended. The notice is written down with the run's end and crossed out
here, so that it is neither lost nor sent twice, whoever dies in between."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from pymongo.database import Database

from jobs.runs.store import RunStore
from jobs.schedules.store import ScheduleStore
from jobs.surviving import Surviving
from stockverify.clients import Document

_AT_ONCE = 50


class Notify(Protocol):
    """Puts a notice to a user into the outbox, once for each occasion; whether this was the first time."""

    def __call__(
        self, occasion_id: str, to_user_id: str, subject: str, text: str, now: datetime, schedule_id: str | None = None
    ) -> bool: ...


class Telling:
    """Its tick is called by one thread at a time."""

    def __init__(self, database: Database[Document], notify: Notify) -> None:
        self._runs, self._schedules, self._notify = RunStore(database), ScheduleStore(database), notify
        self._surviving = Surviving()

    def tick(self, now: datetime) -> None:
        """Tell what was not told yet."""
        with self._surviving.tick():
            for run in self._runs.untold(_AT_ONCE):
                for notice in run["untold"]:
                    for user_id in self._readers(notice):
                        occasion, subject, text = notice["occasion"], notice["subject"], notice["text"]
                        self._notify(f"{occasion}:{user_id}", user_id, subject, text, now, run["schedule_id"])
                self._runs.told(run)

    def _readers(self, notice: Document) -> Iterator[str]:
        yield from [notice["to"]] if notice["to"] else self._schedules.admins()
