"""What the worker's last check has found, how old the last backup is, and whether a restore was left half-done."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pymongo.database import Database
from pymongo.errors import PyMongoError

from stockverify.cli.checks.finding import Finding
from stockverify.clients import Document, database, in_short, open_mongo
from stockverify.settings import Settings
from stockverify.vocabulary import RESTORE_STATE, Collection, RunKind, RunStatus

LATE = timedelta(days=2)
_ADVICE = "The notice to the admins says where; `stockverify backup --list` shows what to compare with."


def integrity(settings: Settings) -> Iterator[Finding]:
    """All findings of the worker that are kept in MongoDB."""
    try:
        with open_mongo(settings.mongodb_uri or "") as client:
            yield from _examined(database(client, settings), datetime.now(UTC))
    except PyMongoError as error:
        yield Finding("integrity", False, "The last check cannot be read.", in_short(error))


def _examined(stored: Database[Document], now: datetime) -> Iterator[Finding]:
    if restoring := stored[RESTORE_STATE].find_one():
        backup_id = restoring["backup_id"]
        advice = f"Run it again: stockverify restore {backup_id}"
        yield Finding("restore", False, f"The restore of {backup_id} was killed before its end.", advice)
    yield from _last_check(_last(stored, RunKind.INTEGRITY), now)
    yield from _last_backup(_last(stored, RunKind.BACKUP), now)


def _last_check(run: Document | None, now: datetime) -> Iterator[Finding]:
    if run is None:
        yield Finding("integrity", True, "was not checked yet; the worker does so every night")
        return
    faults = run["result"].get("faults", {})
    for check, tally in faults.items():
        first = tally["first"][0] if tally["first"] else ""
        yield Finding("integrity", False, f"{check}: {tally['faults']:,} faults, such as: {first}", _ADVICE)
    if not faults:
        yield _young("integrity", run, now, "all is well, checked")


def _last_backup(run: Document | None, now: datetime) -> Iterator[Finding]:
    if run is None:
        yield Finding("backup", True, "none was made by the worker yet; it does so every night")
        return
    yield _young("backup", run, now, f"{run['result'].get('backup_id', 'nothing to back up')}, made")


def _young(check: str, run: Document, now: datetime, says: str) -> Finding:
    late = run["finished_at"] < now - LATE
    advice = "Look at the runs of the worker: it should do so every night." if late else ""
    return Finding(check, not late, f"{says} {run['finished_at']:%Y-%m-%d %H:%M} UTC", advice)


def _last(stored: Database[Document], kind: RunKind) -> Document | None:
    wanted = {"kind": kind.value, "status": RunStatus.SUCCEEDED.value}
    return stored[Collection.RUNS].find_one(wanted, sort=[("requested_at", -1)])
