"""Seven in the morning: reports, workers, and a mail server, all of them real, while workers are killed at random."""

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope
from pymongo.database import Database

from stockverify.clients import Document
from stockverify.services.child import Child
from stockverify.settings import Settings
from tests.jobs.mail.servers import Post, mail_server
from tests.jobs.morning import READERS, due_now, lapse, over, worker
from tests.jobs.test_process import until

MANY, KILLS = 24, 3


@pytest.mark.faults
def test_each_reader_gets_each_report_once_whoever_is_killed(
    db: Database[Document], settings: Settings, tmp_path: Path
) -> None:
    """A mail that arrived twice says that it may have; every other one arrives once."""
    seed = int(os.environ.get("STOCKVERIFY_SEED", random.randrange(10**6)))
    print(f"STOCKVERIFY_SEED={seed}")
    chance = random.Random(seed)
    gone: list[int] = []
    due_now(db, MANY)
    with mail_server(Post(slowly)) as server:
        workers = [worker(f"w-{number}", settings, server.port, tmp_path) for number in range(2)]
        try:
            for number in range(KILLS):
                until(lambda: not taken_over(db) and at_work(db, workers))
                time.sleep(chance.uniform(0, 0.3))  # any moment will do
                [dead] = at_work(db, workers)[:1] or workers[:1]
                workers.remove(dead)
                dead.kill()
                gone.append(dead.pid)
                lapse(db, gone)
                workers.append(worker(f"w-{number + 2}", settings, server.port, tmp_path))
            until(lambda: settled(db, gone), 240)
        finally:
            for each in workers:
                each.kill()
    runs = list(db["report_runs"].find({"schedule_id": {"$regex": "^m-"}}))
    assert Counter(run["schedule_id"] for run in runs) == {f"m-{number:03}": 1 for number in range(MANY)}
    rows = list(db["report_deliveries"].find({"kind": "report"}))
    assert len(rows) == MANY * len(READERS)
    arrived = server.post.counts()
    for row in rows:
        assert row["state"] == "sent", row
        assert 1 <= arrived[row["message_id"]] <= 1 + row["doubts"], row
    assert db["report_deliveries"].count_documents({"kind": "notice"}) == 0
    assert max(run["attempts"] for run in runs) > 1 or sum(row["doubts"] for row in rows), "nobody was killed at work"


def slowly(number: int, envelope: Envelope) -> str:
    """A mail server that looks for viruses first, so that workers die while it has the whole text."""
    time.sleep(0.15)
    return "250 kept"


def at_work(db: Database[Document], workers: list[Child]) -> list[Child]:
    """Those that have a report in hand, or a mail."""
    names = db["report_runs"].distinct("worker", {"kind": "report", "status": "running"})
    names += db["report_deliveries"].distinct("worker", {"state": "sending"})
    return [each for each in workers if any(f"-{each.pid}-" in name for name in names)]


def taken_over(db: Database[Document]) -> int:
    """How many reports are made anew after a death; one that sees three of them is given up."""
    return db["report_runs"].count_documents({"attempts": {"$gt": 1}, "finished_at": None})


def settled(db: Database[Document], gone: list[int]) -> bool:
    """Whether all is done, without waiting for leases and for the pauses between attempts. What the dead asked for just
    before may reach MongoDB after their death."""
    lapse(db, gone)
    time.sleep(0.2)
    return over(db, MANY)
