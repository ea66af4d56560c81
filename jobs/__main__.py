"""`python -m jobs`: the worker, until SIGTERM or Ctrl-C."""

import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable
from datetime import datetime

import structlog
from pymongo.database import Database

from analytics.lake import Lake
from jobs.mail.outbox import Outbox
from jobs.mail.sender import POLL_SECONDS as MAIL_SECONDS
from jobs.mail.sender import Sender
from jobs.runs.telling import Telling
from jobs.schedules.queueing import Queueing
from jobs.ticker import ticking
from jobs.worker import LEASE_SECONDS, Worker
from stockverify.clients import Document, database, open_mongo
from stockverify.environment import from_env
from stockverify.errors import NotRunning, StockVerifyError
from stockverify.logs import configure
from stockverify.settings import Settings

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
        log.info("worker_started", worker=name, interval=settings.snapshot_interval)
        with ticking(_ticks(database(client, settings), settings, name, stop), _PATIENCE) as ended:
            stop.wait()
            clean = ended()
        log.info("worker_stopped", worker=name, clean=clean)
    if not clean:
        sys.stdout.flush()
        os._exit(0)


def _ticks(
    mongo: Database[Document], settings: Settings, name: str, stop: threading.Event
) -> dict[Callable[[datetime], None], float]:
    """What a worker does, and every how many seconds. Each has a thread of its own."""
    lake = Lake(settings.lake)
    queueing = Queueing(mongo, lake, settings)
    worker = Worker(mongo, lake, settings, name, stop, ready=queueing.prepared)
    return {
        queueing.tick: _POLL_SECONDS,
        worker.tick: _POLL_SECONDS,
        worker.renew: LEASE_SECONDS / 3,
        Telling(mongo, Outbox(mongo, settings.mails).notify).tick: _POLL_SECONDS,
        Sender(mongo, settings, name, stop).tick: MAIL_SECONDS,
    }


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda signum, frame: stop.set())
    return stop


if __name__ == "__main__":
    sys.exit(main())
