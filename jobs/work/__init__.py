"""What the worker can do: one function for each kind of run.

Each is given its run's document and the time, may be run twice, and ends in one of these ways: it gives Done; it raises
a StockVerifyError, whose message people will read; Abandoned, because `tools.stopping()` was true; or a PyMongoError,
after which it is tried again.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from jobs.reports.report import report
from jobs.tools import Done, Tools
from jobs.work.anomaly_scan import scan_anomalies
from jobs.work.backup import make_backup
from jobs.work.integrity import check_integrity
from jobs.work.materialise import take_snapshot
from jobs.work.retention import clear_away
from jobs.work.stale_sweep import sweep_stale
from stockverify.clients import Document
from stockverify.vocabulary import RunKind

Work = Callable[[Tools, Document, datetime], Done]

WORK: Mapping[str, Work] = {
    RunKind.MATERIALISE: take_snapshot,
    RunKind.RETENTION: clear_away,
    RunKind.REPORT: report,
    RunKind.STALE_SWEEP: sweep_stale,
    RunKind.ANOMALY_SCAN: scan_anomalies,
    RunKind.INTEGRITY: check_integrity,
    RunKind.BACKUP: make_backup,
}
