"""Sends what is due in the outbox: by the mail server of the settings, or into the outbox folder without one."""

import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from pymongo.database import Database
from pymongo.errors import PyMongoError

from jobs.mail import outcomes
from jobs.mail.folder import Folder
from jobs.mail.message import made
from jobs.mail.outbox import Outbox
from jobs.mail.outcomes import Outcome, Step, Verdict
from jobs.mail.smtp import Line
from jobs.mail.store import LEASE_SECONDS, DeliveryStore
from jobs.mail.sweep import sweep
from stockverify import letters
from stockverify.addresses import allow, domains
from stockverify.clients import Document
from stockverify.errors import StockVerifyError
from stockverify.kept_secret import signing_secret
from stockverify.mail_settings import sender_text, server_of
from stockverify.settings import Settings
from stockverify.unsubscribe import Subscription, key_of, url
from stockverify.vocabulary import DeliveryKind, DeliveryState

POLL_SECONDS = 2.0
SWEEP_SECONDS = 3600.0
_NEVER = float("-inf")
_log = structlog.get_logger("jobs.mail")


class Sender:
    """One of any number of senders; a mail is in the hands of one at a time."""

    def __init__(
        self,
        database: Database[Document],
        settings: Settings,
        name: str,
        stop: threading.Event,
        lease: float = LEASE_SECONDS,
        line: Callable[..., Line] = Line,
    ) -> None:
        """Raises BadSetting when the settings for mail contradict each other."""
        self._settings, self._name, self._stop, self._lease, self._line = settings, name, stop, lease, line
        self._server, self._from = server_of(settings), sender_text(settings)
        self._allowed = domains(settings.mail_allowed_domains)
        self._store, self._outbox = DeliveryStore(database, lease), Outbox(database, settings.mails)
        self._database, self._key = database, key_of(signing_secret(settings))
        self._swept, self._away = _NEVER, False

    def tick(self, now: datetime) -> None:
        """Send what is due, and take up what senders that died have left. Without MongoDB it waits for another tick."""
        started = time.monotonic()
        try:
            self._work(lambda: now + timedelta(seconds=time.monotonic() - started), now)
            self._sweep_at_times(now)
        except PyMongoError as error:
            if not self._away:
                _log.warning("mail_waits_for_mongodb", error=type(error).__name__)
            self._away = True
        else:
            self._away = False

    def _work(self, clock: Callable[[], datetime], now: datetime) -> None:
        for left in self._store.left_behind():
            step = self._step(left, outcomes.left_behind(left), clock())
            if self._store.recover(left, step, clock()):
                _note(left, step)
        post = Folder(self._settings.outbox) if self._server is None else self._line(self._server)
        try:
            while post.usable and not self._stop.is_set() and (row := self._store.take(self._name, now)) is not None:
                self._send(row, post, clock)
        finally:
            post.close()
        self._tell_owners(clock)

    def _send(self, row: Document, post: Folder | Line, clock: Callable[[], datetime]) -> None:
        outcome = self._attempt(row, post)
        if outcome.verdict is Verdict.YIELDED:
            _log.warning("mail_lost_to_another", delivery_id=row["_id"])
            return
        step = self._step(row, outcome, clock())
        if self._store.finish(row, step, clock()):
            _note(row, step)

    def _attempt(self, row: Document, post: Folder | Line) -> Outcome:
        """Whatever is wrong with one mail costs only that one."""
        try:
            if (objection := self._objection(row)) is not None:
                return objection
            if not self._settle(row):
                return Outcome(Verdict.YIELDED, "")
            letter = letters.words(self._settings.mails, row["letter"])
            mail = made(row, letter, lambda each: letters.content(self._settings.mails, row["letter"], each))
            return post.deliver(mail, lambda: self._store.hand_over(row), self._holding(row))
        except PyMongoError:
            raise
        except StockVerifyError as error:
            return Outcome(Verdict.REFUSED, error.message)
        except OSError as error:  # a disk that does not answer may do so later
            return Outcome(Verdict.LATER, f"The letter cannot be read: {error.strerror or type(error).__name__}.")
        except Exception as error:
            _log.exception("mail_cannot_be_made", delivery_id=row["_id"])
            return Outcome(Verdict.REFUSED, f"The mail cannot be made: {type(error).__name__}.")

    def _objection(self, row: Document) -> Outcome | None:
        allow(row["recipient"], self._allowed)
        if self._store.silent(row):
            return Outcome(Verdict.SILENCED, "Unsubscribed.")
        return None

    def _settle(self, row: Document) -> bool:
        """What a mail is made of besides its letter is settled at its first attempt: settings that change later would
        change its bytes under the same Message-ID."""
        if "mail" in row:
            return True
        row["mail"] = {"from": self._from, "link": self._link(row)}
        return self._store.settle(row, row["mail"])

    def _link(self, row: Document) -> str:
        if not row["schedule_id"]:
            return self._settings.dashboard_link()
        return url(Subscription(row["schedule_id"], row["recipient"]), self._key, self._settings.api_link())

    def _holding(self, row: Document) -> Callable[[], bool]:
        """Renews the lease now and then, however often it is asked to."""
        renewed = time.monotonic()

        def hold() -> bool:
            nonlocal renewed
            if time.monotonic() - renewed < self._lease / 4:
                return True
            renewed = time.monotonic()
            return self._store.hold(row)

        return hold

    def _step(self, row: Document, outcome: Outcome, now: datetime) -> Step:
        return outcomes.after(row, outcome, self._settings.mail_max_attempts, random.random(), now)

    def _tell_owners(self, clock: Callable[[], datetime]) -> None:
        """One notice for each run, however many mails of it failed. That it is due was written with the failure, so
        that a sender which dies in between does not keep it from them."""
        for row in self._store.untold():
            if row["kind"] != DeliveryKind.NOTICE and row["owner_id"]:
                said = _undelivered(row, self._settings.dashboard_link())
                occasion = f"undelivered:{row['run_id'] or row['_id']}"
                self._outbox.notify(occasion, row["owner_id"], *said, clock(), schedule_id=row["schedule_id"])
            self._store.told(row)

    def _sweep_at_times(self, now: datetime) -> None:
        if time.monotonic() - self._swept > SWEEP_SECONDS:
            self._swept = time.monotonic()
            try:
                sweep(self._database, self._settings, now)
            except OSError as error:
                _log.warning("mails_not_removed", error=str(error))


def _note(row: Document, step: Step) -> None:
    """Without the address: logs are read by many."""
    said = step.said.replace(row["recipient"], "(the recipient)")  # mail servers like to repeat it
    _log.info("mail", delivery_id=row["_id"], attempt=row["attempts"], state=step.state.value, said=said)


def _undelivered(row: Document, dashboard: str) -> tuple[str, str]:
    name = row["schedule_name"] or row["subject"]
    may = "may not have been" if row["state"] == DeliveryState.UNKNOWN else "could not be"
    text = (
        f"The report {name!r} {may} delivered to {row['recipient']}.\n\nWhat was said: {row['error']}\n\n"
        "Other recipients of the same report may be concerned too; you get this notice once. `stockverify outbox` and "
        f"/api/reports/deliveries?run={row['run_id']} tell of all, and let them be sent again.\n\n{dashboard}"
    )
    return f"Not delivered: {name}", text
