"""The outbox: where work leaves the mails that are to be sent. Putting the same in twice changes nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError

from jobs.mail import rows
from jobs.mail.letter import keep
from jobs.mail.notices import notice
from stockverify.addresses import same
from stockverify.clients import Document
from stockverify.letters import Letter
from stockverify.vocabulary import Collection, DeliveryKind, DeliveryState

_DUPLICATE = 11000


class Outbox:
    """Reads schedules and users, and adds rows; the sender does all the rest."""

    def __init__(self, database: Database[Document], mails_root: Path) -> None:
        self._rows, self._users = database[Collection.DELIVERIES], database[Collection.USERS]
        self._schedules, self._root = database[Collection.SCHEDULES], mails_root

    def put(
        self,
        letter_id: str,
        letter: Letter,
        recipients: Sequence[str],
        kind: DeliveryKind,
        run: Document,
        now: datetime,
    ) -> int:
        """One mail of this run to each recipient; gives to how many it goes, those of an earlier call included. Who has
        unsubscribed gets none, unless it is a test that they asked for. The letter must have been kept before."""
        silent = set() if kind is DeliveryKind.TEST else self._unsubscribed(run)
        wanted = {same(each): each.strip() for each in recipients if same(each) not in silent}
        about = rows.belongs_to(run)
        self._insert(
            rows.delivery(rows.of_run(run["_id"], each), letter_id, letter, each, kind, now) | about
            for each in wanted.values()
        )
        return len(wanted)

    def notify(
        self, occasion_id: str, to_user_id: str, subject: str, text: str, now: datetime, schedule_id: str | None = None
    ) -> bool:
        """A notice to a user, one for each occasion for ever; whether this is the first. Of a user without an address
        it is kept as failed, so that the dashboard shows it."""
        letter_id = f"notice:{occasion_id}"
        user = self._users.find_one({"_id": to_user_id}, {"email": 1, "username": 1}) or {}
        letter = notice(subject, text)
        keep(self._root, letter_id, letter, {})
        row = rows.delivery(letter_id, letter_id, letter, user.get("email") or "", DeliveryKind.NOTICE, now)
        row |= {"schedule_id": schedule_id, "owner_id": to_user_id}
        if not row["recipient"]:
            row |= _undeliverable(user.get("username") or to_user_id, row, now)
        try:
            self._rows.insert_one(row)
        except DuplicateKeyError:
            return False
        return True

    def _unsubscribed(self, run: Document) -> set[str]:
        """As the schedule says now, or as it said when the run was queued if it is gone."""
        schedule = self._schedules.find_one({"_id": run.get("schedule_id")}, {"unsubscribed": 1})
        return {same(each) for each in (schedule or run.get("schedule") or {}).get("unsubscribed") or ()}

    def _insert(self, added: Iterable[Document]) -> None:
        """Those that are missing; a row that is there stays as it is."""
        if not (listed := list(added)):
            return
        try:
            self._rows.insert_many(listed, ordered=False)
        except BulkWriteError as error:
            if any(each["code"] != _DUPLICATE for each in error.details["writeErrors"]):
                raise


def _undeliverable(name: str, row: Document, now: datetime) -> Document:
    reason = f"The user {name} has no e-mail address; an admin can give them one."
    said = rows.entry(now, DeliveryState.FAILED, reason)
    return {
        "state": DeliveryState.FAILED.value,
        "error": reason,
        "next_attempt_at": None,
        "log": [*row["log"], said],
    }
