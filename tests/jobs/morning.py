"""Many reports that are due at the same second, done by real workers, over a real mail server."""

import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from pymongo.database import Database

from stockverify import indexes
from stockverify.clients import Document
from stockverify.environment import to_env
from stockverify.services.child import Child, Spec
from stockverify.settings import Settings
from tests.analytics.stock import item
from tests.jobs.mail.conftest import plain
from tests.jobs.schedules.making import person, schedule

ASKED = {"subject": "query", "ref": None, "query": '{"collection": "erp_items"}', "params": {}, "columns": None}
READERS = ["a@shop.example", "b@shop.example"]


SUMMARY = {"subject": "summary", "ref": None, "query": None, "params": {}, "columns": None}


def due_now(
    db: Database[Document], many: int, readers: Iterable[str] = READERS, report: Mapping[str, Any] = ASKED
) -> None:
    """So many schedules of one owner, due this second, and a little stock to report on."""
    indexes.ensure_blocking(db)
    now = datetime.now(UTC).replace(microsecond=0)
    db["users"].insert_one(person(email="ann@shop.example"))
    db["erp_items"].insert_many([item(f"R{number}", f"{number:05}", number) for number in range(50)])
    changes: dict[str, Any] = {"report": report, "recipients": list(readers), "next_due_at": now, "cron": "0 7 1 1 *"}
    db["report_schedules"].insert_many(
        [schedule(f"m-{number:03}", now, formats=["html", "csv"], **changes) for number in range(many)]
    )


def worker(name: str, settings: Settings, port: int, folder: Path) -> Child:
    """A worker's process, which sends by that mail server."""
    given = msgspec.structs.replace(settings, snapshot_interval=10**8, **plain(port))
    return Child(Spec(name, (sys.executable, "-m", "jobs"), folder / f"{name}.log", to_env(given)))


def lapse(db: Database[Document], pids: list[int]) -> None:
    """Workers that were killed are taken for dead now, instead of after their leases; and mails that wait for another
    attempt need not wait."""
    dead = {"worker": {"$regex": f"-({'|'.join(map(str, pids))})-"}}
    past = [{"$set": {"lease_until": {"$subtract": ["$$NOW", 1]}}}]
    db["report_runs"].update_many(dead | {"status": "running"}, past)
    db["report_deliveries"].update_many(dead | {"state": "sending"}, past)
    waiting = {"state": {"$in": ["queued", "unknown"]}, "next_attempt_at": {"$ne": None}}
    db["report_deliveries"].update_many(waiting, {"$set": {"next_attempt_at": datetime.now(UTC)}})


def over(db: Database[Document], many: int) -> bool:
    """Whether all reports are made, or have failed, and no mail waits."""
    ours = {"schedule_id": {"$regex": "^m-"}}
    if db["report_runs"].count_documents(ours | {"finished_at": {"$ne": None}}) < many:
        return False
    waiting = {
        "$or": [{"state": {"$in": ["queued", "sending"]}}, {"state": "unknown", "next_attempt_at": {"$ne": None}}]
    }
    return db["report_deliveries"].count_documents(waiting) == 0
