"""One worker: what it does at each tick. Trouble with MongoDB ends a tick, never the worker."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import NamedTuple

import structlog
from pymongo.errors import PyMongoError

from analytics.extract import Abandoned, Terms
from analytics.lake import Lake
from analytics.lake.retention import Policy
from jobs.due import RETENTION_SECONDS, crowded_run, due, interval_run, retention_run
from jobs.materialise import take_snapshot
from jobs.outcomes import MAX_ATTEMPTS, failed, succeeded, worn_out
from jobs.retention import retain
from jobs.store import RunStore
from stockverify import indexes
from stockverify.clients import Document
from stockverify.datasets import RECORDS
from stockverify.errors import StockVerifyError
from stockverify.vocabulary import RunKind

LEASE_SECONDS = 30.0

_log = structlog.get_logger("jobs")


class Habits(NamedTuple):
    """How a worker takes and keeps snapshots: after how many records one is due before its time, what its gate lets
    pass, and what retention keeps, by the days of which zone."""

    after_records: int = 0
    terms: Terms = Terms()
    keep: Policy = Policy(hours=48, days=31, months=24)
    zone: str = "UTC"


_USUAL = Habits()


class Worker:
    """Ticks may come from several threads; each of them is called by one thread at a time."""

    def __init__(
        self,
        store: RunStore,
        lake: Lake,
        name: str,
        interval: int,
        stop: threading.Event,
        lease: float = LEASE_SECONDS,
        habits: Habits = _USUAL,
    ) -> None:
        self._store, self._lake, self._name, self._interval = store, lake, name, interval
        self._habits = habits
        self._stop, self._lease = stop, lease
        self._running: str | None = None
        self._lost = threading.Event()
        self._last_slot: datetime | None = None
        self._last_hour: datetime | None = None
        self._prepared = self._away = False

    def tick(self, now: datetime) -> None:
        """Queue what is due, then do what is queued."""
        with self._surviving():
            self._prepare_once()
            self._queue_due(now)
            self._queue_crowded(now)
            self._queue_retention(now)
            while not self._stop.is_set() and self._do_next():
                pass

    def renew(self, now: datetime) -> None:
        """Hold on to the run in hand, if there is one."""
        if (run_id := self._running) is None:
            return
        with self._surviving():
            if not self._store.renew(run_id, self._name, self._lease):
                self._lost.set()

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """Says once that MongoDB went away, and once that it is back."""
        try:
            yield
        except PyMongoError as error:
            if not self._away:
                _log.warning("mongodb_away", error=type(error).__name__)
            self._away = True
        else:
            if self._away:
                _log.info("mongodb_back")
            self._away = False

    def _prepare_once(self) -> None:
        if not self._prepared:
            indexes.ensure_blocking(self._store.database)
            self._prepared = True

    def _queue_due(self, now: datetime) -> None:
        slot = due(now, self._interval, self._last_slot)
        if slot is None or not self._store.anything_to_freeze():
            return
        if self._store.queue_once(interval_run(slot, self._interval, now)):
            _log.info("snapshot_due", slot=slot.isoformat())
        self._last_slot = slot

    def _queue_crowded(self, now: datetime) -> None:
        if not self._habits.after_records or not (ids := self._lake.ids()):
            return
        with suppress(StockVerifyError):  # one that is damaged cannot be built on; the interval brings a whole one
            frozen = self._lake.manifest(RECORDS.name, ids[0]).rows
            run = crowded_run(ids[0], self._store.records(), frozen, self._habits.after_records, now)
            if run and self._store.queue_once(run):
                _log.info("snapshot_due", records=self._habits.after_records)

    def _queue_retention(self, now: datetime) -> None:
        hour = due(now, RETENTION_SECONDS, self._last_hour)
        if hour is not None and self._last_slot is not None:
            self._store.queue_once(retention_run(now))
            self._last_hour = hour

    def _do_next(self) -> bool:
        run = self._store.take(self._name, self._lease, datetime.now(UTC))
        if run is None:
            return False
        _log.info("run_started", run_id=run["_id"], kind=run.get("kind"), attempt=run["attempts"])
        self._lost.clear()
        self._running = run["_id"]
        try:
            self._do(run)
        finally:
            self._running = None
        return True

    def _do(self, run: Document) -> None:
        """Every way in which a run can end is written into it; if that fails too, its lease lapses."""
        run_id = run["_id"]
        try:
            outcome = self._outcome(run)
        except Abandoned:
            self._store.hand_back(run_id, self._name, None)
            _log.info("run_abandoned", run_id=run_id)
            return
        except PyMongoError as error:
            self._store.hand_back(run_id, self._name, f"MongoDB: {type(error).__name__}")
            _log.warning("run_interrupted", run_id=run_id, error=type(error).__name__)
            raise
        if not self._store.finish(run_id, self._name, outcome):
            _log.warning("run_lost", run_id=run_id)
        _log.info(
            "run_finished", run_id=run_id, **{key: outcome.get(key) for key in ("status", "snapshot_id", "error")}
        )

    def _outcome(self, run: Document) -> Document:
        if run.get("kind") not in set(RunKind):
            return failed(f"The worker does not know the kind {run.get('kind')!r}.", datetime.now(UTC))
        if worn_out(run):
            return failed(
                f"It was tried {MAX_ATTEMPTS} times and never ended; see the worker's log.", datetime.now(UTC)
            )
        try:
            return succeeded(self._work(run), datetime.now(UTC))
        except (Abandoned, PyMongoError):
            raise
        except StockVerifyError as error:
            return failed(error.message, datetime.now(UTC))
        except Exception as error:
            _log.exception("run_crashed", run_id=run["_id"])
            return failed(f"{type(error).__name__}: {error}", datetime.now(UTC))

    def _work(self, run: Document) -> str | None:
        """What is asked for; the id of the snapshot, if it is one."""
        now, database = datetime.now(UTC), self._store.database
        if run["kind"] == RunKind.RETENTION:
            retain(self._lake, database, self._habits.keep, self._habits.zone, now)
            return None
        name = run.get("name") or ""
        return take_snapshot(self._lake, database, name, now, self._must_stop, self._habits.terms).snapshot_id

    def _must_stop(self) -> bool:
        return self._stop.is_set() or self._lost.is_set()
