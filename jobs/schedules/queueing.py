"""Queues what is due: of intervals, of schedules, and of many new records. Any number of workers do so at once."""

from contextlib import suppress
from datetime import datetime

import structlog
from pymongo.database import Database

from analytics.lake import Lake
from jobs.runs.store import RunStore
from jobs.schedules.due import Turn, turn
from jobs.schedules.slots import RETENTION_SECONDS, crowded_run, due, interval_run, retention_run
from jobs.schedules.store import ScheduleStore
from jobs.surviving import Surviving
from stockverify import indexes
from stockverify.clients import Document
from stockverify.datasets import RECORDS
from stockverify.errors import StockVerifyError
from stockverify.runs import due_run
from stockverify.settings import Settings

AT_ONCE = 100
"""So many schedules are read and moved on together; more that are due at the same time follow in the same tick."""

_log = structlog.get_logger("jobs")


class Queueing:
    """Its tick is called by one thread at a time, beside the work: however long that takes, nothing misses its time."""

    def __init__(self, database: Database[Document], lake: Lake, settings: Settings) -> None:
        self._database, self._lake, self._settings = database, lake, settings
        self._runs, self._schedules = RunStore(database), ScheduleStore(database)
        self._surviving, self._prepared = Surviving(), False
        self._last_slot: datetime | None = None
        self._last_hour: datetime | None = None

    def tick(self, now: datetime) -> None:
        """Queue what is due and was not queued yet."""
        with self._surviving.tick():
            self._prepare_once(now)
            self._queue_slot(now)
            self._queue_crowded(now)
            self._queue_retention(now)
            while self._queue_schedules(now):
                pass

    def prepared(self) -> bool:
        """Whether the database has the indexes and the schedules of the house. A read of one moment, as snapshots and
        backups make it, fails while they are being made; a run must not be spent on that."""
        return self._prepared

    def _prepare_once(self, now: datetime) -> None:
        if not self._prepared:
            indexes.ensure_blocking(self._database)
            self._schedules.ensure_builtin(self._settings.time_zone, now)
            self._prepared = True

    def _queue_slot(self, now: datetime) -> None:
        interval = self._settings.snapshot_interval
        slot = due(now, interval, self._last_slot)
        if slot is None or not self._runs.anything_to_freeze():
            return
        if self._runs.queue_once(interval_run(slot, interval, now)):
            _log.info("snapshot_due", slot=slot.isoformat())
        self._last_slot = slot

    def _queue_crowded(self, now: datetime) -> None:
        after = self._settings.snapshot_after_records
        if not after or not (ids := self._lake.ids()):
            return
        with suppress(StockVerifyError):  # one that is damaged cannot be built on; the interval brings a whole one
            latest = self._lake.manifest(RECORDS.name, ids[0])
            run = crowded_run(latest, self._runs.records(), after, now)
            if run and self._runs.queue_once(run):
                _log.info("snapshot_due", records=after)

    def _queue_retention(self, now: datetime) -> None:
        hour = due(now, RETENTION_SECONDS, self._last_hour)
        if hour is not None and self._last_slot is not None:
            self._runs.queue_once(retention_run(now))
            self._last_hour = hour

    def _queue_schedules(self, now: datetime) -> bool:
        """A run for each of the next schedules that are due, then their next times: whoever dies between the two leaves
        due times whose runs are there, and the next worker only moves them on. True when there may be more."""
        turns = [(each, found) for each in self._schedules.due(now, AT_ONCE) if (found := self._turn(each, now))]
        if not turns:
            return False
        new = self._runs.queue_each_once([due_run(each, found.due_at, found.caught_up, now) for each, found in turns])
        moved = self._schedules.move_on((each, found.next_due_at) for each, found in turns)
        _log.info("schedules_due", due=len(turns), queued=new)
        return moved > 0

    def _turn(self, schedule: Document, now: datetime) -> Turn | None:
        """One whose time cannot be understood would come up at every tick: it is paused."""
        try:
            return turn(schedule, now)
        except StockVerifyError as error:
            _log.warning("schedule_paused", schedule_id=schedule["_id"], error=error.message)
            self._schedules.pause(schedule, error.message)
            return None
