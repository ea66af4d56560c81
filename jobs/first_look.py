"""What the first visitor of a new snapshot would have to wait for."""

from collections.abc import Callable

import structlog

from analytics.compare import compare
from analytics.figures import keep, tolerance_of
from analytics.glance import findings
from analytics.lake import Freeze
from analytics.watching import Watch
from jobs.tools import Tools

_log = structlog.get_logger("jobs")


def prepare(tools: Tools, freeze: Freeze) -> None:
    """Work out its figures, what somebody should look at, and what changed since the snapshot before, and keep that.
    Without it the snapshot is as good: readers then compute, so a full disk is no reason for the run to fail."""
    _tried("figures_not_kept", freeze, lambda: keep(tools.lake, freeze.snapshot_id, tolerance_of(tools.settings)))
    _tried("findings_not_kept", freeze, lambda: findings.keep(tools.lake, freeze.snapshot_id))
    _tried("comparison_not_kept", freeze, lambda: _compare(tools, freeze))


def _compare(tools: Tools, freeze: Freeze) -> None:
    """As pages do that nobody has asked for anything else."""
    before = next((known for known in tools.lake.ids() if known < freeze.snapshot_id), None)
    if before:
        compare(tools.lake, before, freeze.snapshot_id, watch=Watch(tools.stopping))


def _tried(failure: str, freeze: Freeze, work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:  # whatever it is, the snapshot is taken
        _log.warning(failure, snapshot_id=freeze.snapshot_id, error=str(error))
