"""What one worker's memory comes to when many reports with charts are due in the same second, and one of two workers is
killed among them; each must arrive once all the same."""

import os
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from pymongo import MongoClient

from stockverify.clients import Document, database
from stockverify.services.child import Child
from stockverify.services.embedded import Backends
from tests.jobs.mail.servers import mail_server
from tests.jobs.morning import SUMMARY, due_now, lapse, over, worker

pytestmark = pytest.mark.bench
REPORTS = [int(each) for each in os.environ.get("BENCH_REPORTS", "100,500").split(",")]


def test_memory_does_not_grow_with_how_many_are_due(
    embedded: Backends, mongo: "MongoClient[Document]", tmp_path: Path
) -> None:
    peaks = {many: _peak(embedded, mongo, tmp_path / str(many), many) for many in REPORTS}
    print("".join(f"\n{many} reports: {seconds:,.0f} s, peak {mib:,.0f} MiB" for many, (seconds, mib) in peaks.items()))
    print(f"ratio of the peaks: {peaks[REPORTS[-1]][1] / peaks[REPORTS[0]][1]:.2f}")


def _peak(embedded: Backends, mongo: "MongoClient[Document]", folder: Path, many: int) -> tuple[float, float]:
    """Seconds until all had arrived, and the higher of both workers' peaks in MiB."""
    changes = {"data_dir": folder, "mongodb_database": f"bench_{uuid.uuid4().hex[:12]}", "secret": "s" * 32}
    settings = msgspec.structs.replace(embedded.settings, **changes)
    db = database(mongo, settings)
    due_now(db, many, ["a@shop.example"], SUMMARY)
    begun = time.perf_counter()
    with mail_server() as server:
        workers = [worker(f"w-{number}", settings, server.port, folder) for number in range(2)]
        try:
            _wait(lambda: db["report_runs"].count_documents({"status": "succeeded"}) >= many // 3)
            killed = _mib(workers[0])
            workers[0].kill()
            _wait(lambda: lapse(db, [workers[0].pid]) or over(db, many))
            peak = max(killed, _mib(workers[1]))
        finally:
            for each in workers:
                each.kill()
    seconds = time.perf_counter() - begun
    rows = {row["message_id"]: row["doubts"] for row in db["report_deliveries"].find({"kind": "report"})}
    arrived = server.post.counts()
    assert (len(rows), set(arrived) == set(rows)) == (many, True)
    assert all(arrived[each] <= 1 + doubts for each, doubts in rows.items())
    return seconds, peak


def _wait(done: Callable[[], object]) -> None:
    while not done():
        time.sleep(0.5)


def _mib(child: Child) -> float:
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child.pid}/status").read_text())
    return int(peak) / 1024
