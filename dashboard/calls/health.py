"""How the service is, what the worker did, and the audit log."""

from typing import NamedTuple

from dashboard.desk import Desk
from stockverify.wire.activity import ActivityEntry
from stockverify.wire.reports import Run

MOST_RUNS = 50
MOST_ENTRIES = 200
_PAGE = 1000


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


def chain(desk: Desk, most: int) -> list[ActivityEntry]:
    """The newest entries, so many at most, oldest first and without a gap."""
    found: list[ActivityEntry] = []
    while len(found) < most:
        limit = min(_PAGE, most - len(found))
        before = found[-1].sequence if found else None
        page = desk.get("/api/activity/", list[ActivityEntry], limit=limit, before=before)
        found += page
        if len(page) < limit:
            break
    return found[::-1]
