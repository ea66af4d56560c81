"""How the service is, what the worker did, and the audit log."""

from typing import NamedTuple

import msgspec

from dashboard.desk import Desk
from stockverify.wire.activity import ActivityEntry, ChainCheck
from stockverify.wire.reports import Run

MOST_RUNS = 50
MOST_ENTRIES = 200
MOST_CHECKS = 30


class Asked(NamedTuple):
    """What entries of the audit log to show; what is empty does not filter."""

    action: str | None = None
    username: str = ""
    subject: str = ""


def runs(desk: Desk) -> list[Run]:
    """The latest runs of the worker."""
    return desk.get("/api/reports/runs", list[Run], limit=MOST_RUNS)


def entries(desk: Desk, asked: Asked) -> list[ActivityEntry]:
    """The newest entries of the audit log."""
    return desk.get("/api/activity/", list[ActivityEntry], limit=MOST_ENTRIES, **asked._asdict())


def chain(desk: Desk, after: int) -> ChainCheck:
    """Have the chain checked after this entry: to its end, to what is wrong, or as far as so many checks of a second or
    so come."""
    found = _check(desk, after)
    for _ in range(MOST_CHECKS - 1):
        if found.last >= found.end or not found.holds:
            break
        found = msgspec.structs.replace(_check(desk, found.last), first=found.first)
    return found


def _check(desk: Desk, after: int) -> ChainCheck:
    return desk.get("/api/activity/chain", ChainCheck, after=after or None)
