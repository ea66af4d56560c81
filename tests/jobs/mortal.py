"""A worker in a process of its own that kills itself with SIGKILL before its n-th step: a write to MongoDB, or one to
letters and linked files. What a kill after a step or at a read leaves behind, one before the next step leaves too."""

import os
import signal
import sys
import threading
from collections.abc import Mapping
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from pymongo import monitoring
from pymongo.database import Database

from analytics.lake import Lake
from jobs.mail.letter import keep
from jobs.mail.outbox import Outbox
from jobs.reports.report import report
from jobs.runs.telling import Telling
from jobs.schedules.queueing import Queueing
from jobs.tools import Done, Tools
from jobs.work import Work
from jobs.worker import Worker
from stockverify.clients import Document, database, open_mongo
from stockverify.errors import BadInput
from stockverify.letters import Letter
from stockverify.settings import Settings
from stockverify.vocabulary import DeliveryKind

NEVER = 10**9
_COMMANDS = frozenset({"insert", "update", "findAndModify", "commitTransaction"})
_MOVES = frozenset({"os.rename", "os.mkdir"})
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.jobs.mortal"])


class _Death(monitoring.CommandListener):
    """Comes before a step: that one is never done."""

    def __init__(self, step: int, *roots: Path) -> None:
        self._step, self._roots, self._done = step, tuple(map(str, roots)), 0

    def started(self, event: Any) -> None:
        if event.command_name in _COMMANDS:
            self._count()

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...

    def hear(self, event: str, about: tuple[Any, ...]) -> None:
        """What Python tells of files that are opened to be written, made or renamed."""
        is_written = event == "open" and bool((about[2] or 0) & _TO_WRITE)
        if (is_written or event in _MOVES) and str(about[0]).startswith(self._roots):
            self._count()

    def _count(self) -> None:
        self._done += 1
        if self._done == self._step:
            os.kill(os.getpid(), signal.SIGKILL)


def mail_only(tools: Tools, run: Document, now: datetime) -> Done:
    """As much of a report as takes no time: a letter, and a mail to everybody."""
    letter = Letter(subject=run["name"], text="text", html="<p>text</p>")
    keep(tools.settings.mails, run["_id"], letter, {})
    recipients = run["schedule"]["recipients"]
    sent = Outbox(tools.database, tools.settings.mails).put(
        run["_id"], letter, recipients, DeliveryKind.REPORT, run, now
    )
    return Done("s-1", {"sent_to": sent, "content_hash": "h"})


def broken(tools: Tools, run: Document, now: datetime) -> Done:
    """Fails each time."""
    raise BadInput(reason="It broke.")


REAL: Mapping[str, Work] = {"report": report, "backup": broken}
QUICK: Mapping[str, Work] = {"report": mail_only}


def work_once(db: Database[Document], settings: Settings, name: str, now: datetime, works: Mapping[str, Work]) -> None:
    """Everything that a worker does in one second, with its clock standing still."""
    lake, stop = Lake(settings.lake), threading.Event()
    Queueing(db, lake, settings).tick(now)
    Worker(db, lake, settings, name, stop, works, clock=lambda: now).tick(now)
    Telling(db, Outbox(db, settings.mails).notify).tick(now)


def live(
    settings: Settings,
    name: str,
    now: datetime,
    works: Mapping[str, Work],
    step: int,
    passes: int,
    start: Barrier | None,
) -> None:
    """The life of the process: so many ticks, from the moment on at which all are ready that shall start together."""
    death = _Death(step, settings.mails, settings.export_jobs)
    monitoring.register(death)
    sys.addaudithook(death.hear)
    with open_mongo(settings.mongodb_uri or "") as client:
        if start:
            start.wait(60)
        for _ in range(passes):
            work_once(database(client, settings), settings, name, now, works)


def together(many: int) -> Barrier:
    """For workers that shall start at the same moment: on a busy machine the first would else be done before the
    others have begun."""
    return _CONTEXT.Barrier(many)


def born(
    settings: Settings,
    name: str,
    now: datetime,
    works: Mapping[str, Work],
    step: int = NEVER,
    passes: int = 1,
    start: Barrier | None = None,
) -> BaseProcess:
    """Start one."""
    process = _CONTEXT.Process(target=live, args=(settings, name, now, works, step, passes, start))
    process.start()
    return process
