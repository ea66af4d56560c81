"""What the first visitor of a new snapshot would have to wait for."""

import structlog

from analytics.figures import keep, tolerance_of
from analytics.lake import Freeze
from jobs.tools import Tools
from stockverify.errors import StockVerifyError

_log = structlog.get_logger("jobs")


def prepare(tools: Tools, freeze: Freeze) -> None:
    """Work out its figures and keep them. Without them it is as good: readers then compute, so a full disk is no reason
    for the run to fail."""
    try:
        keep(tools.lake, freeze.snapshot_id, tolerance_of(tools.settings))
    except (OSError, StockVerifyError) as error:
        _log.warning("figures_not_kept", snapshot_id=freeze.snapshot_id, error=str(error))
