"""`python -m jobs`: the worker, until SIGTERM or Ctrl-C."""

import logging
import os
import secrets
import signal
import socket
import sys
import threading

import structlog

from analytics.extract import Terms
from analytics.lake import Lake
from analytics.lake.retention import Policy
from jobs.store import RunStore
from jobs.ticker import ticking
from jobs.worker import LEASE_SECONDS, Habits, Worker
from stockverify.clients import database, open_mongo
from stockverify.errors import NotRunning, StockVerifyError
from stockverify.logs import configure
from stockverify.settings import Settings, from_env

_POLL_SECONDS = 1.0
_PATIENCE = 8.0


def main() -> int:
    """Run until told to stop. A run in hand is given back, so that the next worker takes it up at once."""
    try:
        settings = from_env(os.environ)
        configure(settings.log_level)
        # A tick that comes while the one before still works is no news.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        work(settings, _stop_on_signals())
    except StockVerifyError as error:
        sys.stderr.write(f"stockverify: {error.message}\n")
        return 2
    return 0


def work(settings: Settings, stop: threading.Event) -> None:
    """Tick until `stop` is set. A snapshot that cannot be given up in time is left behind: readers never see it."""
    if not settings.mongodb_uri:
        raise NotRunning(data_dir=settings.data_dir)
    log = structlog.get_logger("jobs")
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    with open_mongo(settings.mongodb_uri) as client:
        store = RunStore(database(client, settings))
        worker = Worker(store, Lake(settings.lake), name, settings.snapshot_interval, stop, habits=_habits(settings))
        log.info("worker_started", worker=name, interval=settings.snapshot_interval)
        with ticking({worker.tick: _POLL_SECONDS, worker.renew: LEASE_SECONDS / 3}, _PATIENCE) as ended:
            stop.wait()
            clean = ended()
        log.info("worker_stopped", worker=name, clean=clean)
    if not clean:
        sys.stdout.flush()
        os._exit(0)


def _habits(settings: Settings) -> Habits:
    return Habits(
        settings.snapshot_after_records,
        Terms(may_fall=settings.snapshot_may_fall),
        Policy(hours=settings.keep_hours, days=settings.keep_days, months=settings.keep_months),
        settings.time_zone,
    )


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda signum, frame: stop.set())
    return stop


if __name__ == "__main__":
    sys.exit(main())
