"""The work that looks whether everything that is stored makes sense together."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from jobs.integrity import places, records
from jobs.integrity.audit_log import AuditLog
from jobs.integrity.faults import Check, Fault, Tally, occasion, tallied, told
from jobs.integrity.files import newest_backup, snapshots
from jobs.integrity.reading import Reading, reading
from jobs.tools import Done, Tools
from jobs.work.telling import tell_admins
from stockverify import indexes
from stockverify.activity import EMPTY, Head
from stockverify.clients import Document
from stockverify.vocabulary import Collection, RunKind, RunStatus

_CHECKS: tuple[Callable[[Reading], Iterator[Fault]], ...] = (
    records.records,
    records.serials,
    records.history,
    places.sessions,
    places.racks,
    places.conflicts,
)


def check_integrity(tools: Tools, run: Document, now: datetime) -> Done:
    """It changes nothing, and what it finds is told once. Finding something is what it is for: the run succeeds."""
    audit_log = AuditLog(_noted_head(tools))
    found = tallied(_faults(tools, audit_log, now))
    for check, tally in found.items():
        subject = f"Something is wrong with the {check}"
        tell_admins(tools, occasion(check, tally), subject, f"{told(check, tally)}\n\n{_ADVICE}", now)
    result = {"faults": {check.value: msgspec.to_builtins(tally) for check, tally in found.items()}}
    return Done(result=result | {"audit_head": list(audit_log.head)}, note=_note(found))


_ADVICE = (
    "Nothing was changed. Somebody may have written to the database beside StockVerify, or a disk may be failing: look "
    "at `stockverify doctor`, and compare with a backup (`stockverify backup --list`)."
)


def _faults(tools: Tools, audit_log: AuditLog, now: datetime) -> Iterator[Fault]:
    for name in indexes.missing(tools.database):
        yield Fault(Check.INDEXES, f"The index {name} is missing; the service makes it when it starts.")
    for check in (*_CHECKS, audit_log.faults):
        with reading(tools.database, tools.stopping) as moment:
            yield from check(moment)
    yield from snapshots(tools.lake, now)
    yield from newest_backup(tools.lake)


def _noted_head(tools: Tools) -> Head:
    """The end of the audit log that the last check has seen."""
    wanted = {"kind": RunKind.INTEGRITY.value, "status": RunStatus.SUCCEEDED.value}
    last: dict[str, Any] = tools.database[Collection.RUNS].find_one(wanted, sort=[("requested_at", -1)]) or {}
    noted = last.get("result", {}).get("audit_head")
    return Head(*noted) if noted else EMPTY


def _note(found: dict[Check, Tally]) -> str:
    if not found:
        return "All is well."
    return "; ".join(f"{check}: {tally.faults:,} faults" for check, tally in found.items())
