"""What the ticks of a worker do together, by their real clock: nothing that a worker must do may be left out."""

import threading
from datetime import UTC, datetime

import msgspec
import pytest
from pymongo.database import Database

from jobs.__main__ import _ticks
from jobs.ticker import ticking
from jobs.tools import Done, Tools
from jobs.work import WORK
from jobs.worker import LEASE_SECONDS
from stockverify.clients import Document
from stockverify.errors import BadInput
from stockverify.settings import Settings
from stockverify.vocabulary import RunKind
from tests.jobs.schedules.making import person, schedule
from tests.jobs.test_process import run_of, until


def test_a_due_run_is_held_on_to_and_its_failure_is_mailed(
    db: Database[Document], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = threading.Event()

    def long_and_in_vain(tools: Tools, run: Document, now: datetime) -> Done:
        may_end.wait(30)
        raise BadInput(reason="It broke.")

    monkeypatch.setitem(WORK, RunKind.REPORT, long_and_in_vain)  # type: ignore[arg-type]
    now = datetime.now(UTC).replace(microsecond=0)
    db["users"].insert_one(person(email="ann@shop.example"))
    db["report_schedules"].insert_one(schedule("s", now, next_due_at=now))
    quiet = msgspec.structs.replace(settings, snapshot_interval=10**8)
    ticks = _ticks(db, quiet, "w", threading.Event())
    assert sorted(ticks.values()) == [1, 1, 1, 2, LEASE_SECONDS / 3]
    run_id = f"s@{now:%Y%m%dT%H%M%SZ}"
    with ticking(dict.fromkeys(ticks, 0.05), 8) as ended:
        until(lambda: (db["report_runs"].find_one({"_id": run_id}) or {}).get("lease_until"))
        leased = run_of(db, run_id)["lease_until"]
        until(lambda: run_of(db, run_id)["lease_until"] > leased)
        may_end.set()
        until(lambda: db["report_deliveries"].find_one({"state": "sent"}))
        until(lambda: "untold" not in run_of(db, run_id))
        assert ended()
    [row] = db["report_deliveries"].find()
    assert (row["kind"], row["recipient"], row["subject"]) == ("notice", "ann@shop.example", "Failed: name of s")
    assert (run_of(db, run_id)["status"], run_of(db, run_id)["fence"]) == ("failed", 1)
