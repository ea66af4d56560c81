"""One worker: does what is queued, one run at a time."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog
from pymongo.database import Database
from pymongo.errors import PyMongoError

from analytics.extract import Abandoned
from analytics.lake import Lake
from jobs.runs.ending import Ending, Unfit, ended_before_it_began
from jobs.runs.outcomes import MAX_ATTEMPTS, failed, succeeded, worn_out
from jobs.runs.store import RunStore
from jobs.surviving import Surviving
from jobs.tools import Tools
from jobs.work import WORK, Work
from stockverify.clients import Document
from stockverify.errors import StockVerifyError
from stockverify.settings import Settings

LEASE_SECONDS = 30.0

_log = structlog.get_logger("jobs")


class Worker:
    """Ticks may come from several threads; each of them is called by one thread at a time."""

    def __init__(
        self,
        database: Database[Document],
        lake: Lake,
        settings: Settings,
        name: str,
        stop: threading.Event,
        work: Mapping[str, Work] = WORK,
        lease: float = LEASE_SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        """Until `ready` says so, it takes nothing."""
        self._tools = Tools(database, lake, settings, self._must_stop)
        self._store, self._ending = RunStore(database), Ending(database)
        self._name, self._stop, self._work, self._lease, self._clock = name, stop, work, lease, clock
        self._ready = ready
        self._surviving, self._renewing = Surviving(), Surviving()
        self._running: Document | None = None
        self._lost = threading.Event()

    def tick(self, now: datetime) -> None:
        """Do what is queued, until nothing is."""
        with self._surviving.tick():
            while not self._stop.is_set() and self._ready() and self._do_next():
                pass

    def renew(self, now: datetime) -> None:
        """Hold on to the run in hand, if there is one."""
        if (run := self._running) is None:
            return
        with self._renewing.tick():
            if not self._store.renew(run, self._lease) and self._running is run:
                self._lost.set()

    def _do_next(self) -> bool:
        run = self._store.take(self._name, self._lease, self._clock())
        if run is None:
            return False
        _log.info("run_started", run_id=run["_id"], kind=run.get("kind"), attempt=run["attempts"], late=run["late"])
        self._lost.clear()
        self._running = run
        try:
            self._do(run)
        finally:
            self._running = None
        return True

    def _do(self, run: Document) -> None:
        """Every way in which a run can end is written into it; if that fails too, its lease lapses."""
        run_id = run["_id"]
        try:
            unfit = self._ending.prepare(run)
            outcome = self._outcome(run, unfit)
        except Abandoned:
            self._store.hand_back(run, None)
            _log.info("run_abandoned", run_id=run_id)
            return
        except PyMongoError as error:
            self._store.hand_back(run, f"MongoDB: {type(error).__name__}")
            _log.warning("run_interrupted", run_id=run_id, error=type(error).__name__)
            raise
        if not self._ending.end(run, outcome, unfit):
            _log.warning("run_lost", run_id=run_id)
        _log.info(
            "run_finished", run_id=run_id, **{key: outcome.get(key) for key in ("status", "snapshot_id", "error")}
        )

    def _outcome(self, run: Document, unfit: Unfit | None) -> Document:
        work = self._work.get(str(run.get("kind")))
        if work is None:
            return failed(f"The worker does not know the kind {run.get('kind')!r}.", self._clock())
        if unfit is not None:
            return ended_before_it_began(unfit, self._clock())
        if worn_out(run):
            return failed(f"It was tried {MAX_ATTEMPTS} times and never ended; see the worker's log.", self._clock())
        try:
            return succeeded(work(self._tools, run, self._clock()), self._clock())
        except (Abandoned, PyMongoError):
            raise
        except StockVerifyError as error:
            return failed(error.message, self._clock())
        except Exception as error:
            _log.exception("run_crashed", run_id=run["_id"])
            return failed(f"{type(error).__name__}: {error}", self._clock())

    def _must_stop(self) -> bool:
        return self._stop.is_set() or self._lost.is_set()
