"""A worker in a process of its own that kills itself with SIGKILL at the n-th command it exchanges with MongoDB."""

import os
import signal
import threading
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from pymongo import monitoring
from pymongo.database import Database

from analytics.lake import Lake
from jobs.mail.letter import keep
from jobs.mail.outbox import Outbox
from jobs.runs.telling import Telling
from jobs.schedules.queueing import Queueing
from jobs.tools import Done, Tools
from jobs.worker import Worker
from stockverify.clients import Document, database, open_mongo
from stockverify.errors import BadInput
from stockverify.letters import Letter
from stockverify.settings import Settings
from stockverify.vocabulary import DeliveryKind

When = Literal["before", "after"]
NEVER = 10**9
_STEPS = frozenset({"insert", "update", "find", "findAndModify", "commitTransaction", "aggregate"})
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.jobs.mortal"])


class _Death(monitoring.CommandListener):
    """`before`: the command is never sent. `after`: it was carried out, and nobody hears of it."""

    def __init__(self, step: int, when: When) -> None:
        self._step, self._when, self._done = step, when, 0

    def started(self, event: Any) -> None:
        if event.command_name in _STEPS:
            self._done += 1
            self._die("before")

    def succeeded(self, event: Any) -> None:
        if event.command_name in _STEPS:
            self._die("after")

    def failed(self, event: Any) -> None: ...

    def _die(self, when: When) -> None:
        if self._done == self._step and when == self._when:
            os.kill(os.getpid(), signal.SIGKILL)


def report(tools: Tools, run: Document, now: datetime) -> Done:
    """As much of a report as can go wrong: a letter, and a mail to everybody."""
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


def work_once(db: Database[Document], settings: Settings, name: str, now: datetime) -> None:
    """Everything that a worker does in one second, with its clock standing still. Schedules of kind `backup` fail."""
    lake, stop = Lake(settings.lake), threading.Event()
    Queueing(db, lake, settings).tick(now)
    Worker(db, lake, settings, name, stop, {"report": report, "backup": broken}, clock=lambda: now).tick(now)
    Telling(db, Outbox(db, settings.mails).notify).tick(now)


def live(settings: Settings, name: str, now: datetime, step: int, when: When, passes: int) -> None:
    """The life of the process: so many ticks."""
    monitoring.register(_Death(step, when))
    with open_mongo(settings.mongodb_uri or "") as client:
        for _ in range(passes):
            work_once(database(client, settings), settings, name, now)


def born(
    settings: Settings, name: str, now: datetime, step: int = NEVER, when: When = "before", passes: int = 1
) -> BaseProcess:
    """Start one."""
    process = _CONTEXT.Process(target=live, args=(settings, name, now, step, when, passes))
    process.start()
    return process
