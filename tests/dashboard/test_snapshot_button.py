"""Following a run of the worker."""

import time

from dashboard import snapshot_button
from dashboard.snapshot_button import follow
from stockverify.wire.reports import Run


def run(status: str) -> Run:
    """A run that is so far."""
    return Run(
        run_id="r-1",
        kind="materialise",
        status=status,
        requested_by="ann",
        requested_at=0.0,
        finished_at=None,
        snapshot_id=None,
        error=None,
    )


def test_it_looks_until_the_run_is_over(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(snapshot_button, "_PAUSE", 0.0)
    looks = [run("queued"), run("running"), run("succeeded"), run("failed")]
    assert follow(run("queued"), lambda: looks.pop(0), time.monotonic() + 5).status == "succeeded"
    assert [left.status for left in looks] == ["failed"]


def test_a_run_that_is_over_is_not_looked_at_again() -> None:
    assert follow(run("failed"), lambda: run("succeeded"), time.monotonic() + 5).status == "failed"


def test_its_patience_ends() -> None:
    assert follow(run("queued"), lambda: run("queued"), time.monotonic() - 1).status == "queued"
