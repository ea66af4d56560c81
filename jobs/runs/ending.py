"""The beginning and the end of a run, with what they have to do with its schedule: written together, or not at all."""

from datetime import datetime
from typing import NamedTuple

from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.read_concern import ReadConcern

from jobs.runs import delivered
from jobs.runs.delivered import Fate
from jobs.runs.outcomes import NOTHING, after, failed, skipped
from jobs.runs.store import RunStore
from jobs.schedules.store import ScheduleStore
from stockverify.clients import Document
from stockverify.vocabulary import Collection, DeliveryKind, Role, RunPurpose, ScheduleState

_SNAPSHOT = ReadConcern("snapshot")
_OWNERS = (Role.SUPERVISOR, Role.ADMIN)


class Unfit(NamedTuple):
    """Why a run that was due is not to be done; and whether its schedule must be paused for that."""

    reason: str
    pauses: bool


class Ending:
    """Looks at schedules before a run begins, and changes them when it ends."""

    def __init__(self, database: Database[Document]) -> None:
        self._client = database.client
        self._runs, self._schedules = RunStore(database), ScheduleStore(database)
        self._deliveries = database[Collection.DELIVERIES]

    def prepare(self, run: Document) -> Unfit | None:
        """Whether a run is still to be done; if so it gets to know how the runs before it ended, unless it got so far
        in the hands of a worker that died. Raises Abandoned."""
        if not run.get("schedule_id"):
            return None
        schedule = self._schedules.one(run["schedule_id"])
        if run["purpose"] == RunPurpose.SCHEDULED and (unfit := self._unfit(schedule)):
            return unfit
        if schedule and not run["snapshot_id"]:
            self._runs.catch_up(run, self._last(schedule))
        return None

    def _last(self, schedule: Document) -> Document | None:
        """How the last run ended, with what has reached somebody as what was delivered last."""
        last: Document | None = schedule["last"]
        return last and last | delivered.known(last, self._fates(last)).last()

    def _fates(self, last: Document | None, transaction: ClientSession | None = None) -> dict[str, Fate]:
        """What has become of the mails of earlier runs."""
        if not (run_ids := delivered.runs_in(last)):
            return {}
        reports = {"run_id": {"$in": run_ids}, "kind": DeliveryKind.REPORT.value}
        mails = {"_id": "$run_id", "mails": {"$addToSet": {"state": "$state", "outage": "$outage"}}}
        found = self._deliveries.aggregate([{"$match": reports}, {"$group": mails}], session=transaction)
        return {each["_id"]: delivered.fate(each["mails"]) for each in found}

    def end(self, run: Document, outcome: Document, unfit: Unfit | None) -> bool:
        """Write how a run ended and what that changes in its schedule; false when another worker has it now."""
        with self._client.start_session() as session:
            return session.with_transaction(
                lambda transaction: self._end(run, outcome, unfit, transaction), read_concern=_SNAPSHOT
            )

    def _end(self, run: Document, outcome: Document, unfit: Unfit | None, transaction: ClientSession) -> bool:
        schedule_id = run.get("schedule_id")
        schedule = self._schedules.one(schedule_id, transaction) if schedule_id else None
        change = NOTHING
        if schedule and (unfit is None or unfit.pauses):
            fates = self._fates(schedule["last"], transaction)
            change = after(schedule, run, outcome, unfit and unfit.reason, fates)
        untold = {"untold": [each._asdict() for each in change.notices]} if change.notices else {}
        if not self._runs.finish(run, outcome | untold, transaction):
            return False
        if schedule and change.changes:
            self._schedules.change(schedule["_id"], change.changes, transaction)
        return True

    def _unfit(self, schedule: Document | None) -> Unfit | None:
        if schedule is None:
            return Unfit("The schedule was deleted before its turn came.", pauses=False)
        if schedule["state"] != ScheduleState.ACTIVE:
            return Unfit("The schedule was paused before its turn came.", pauses=False)
        if schedule["builtin"]:
            return None
        owner = self._schedules.owner(schedule)
        if owner and owner["is_active"] and owner["role"] in _OWNERS:
            return None
        what = "may not have reports sent any more" if owner and owner["is_active"] else "is disabled or gone"
        return Unfit(f"Its owner {schedule['owner']} {what}.", pauses=True)


def ended_before_it_began(unfit: Unfit, now: datetime) -> Document:
    """The outcome of such a run."""
    return failed(unfit.reason, now) if unfit.pauses else skipped(unfit.reason, now)
