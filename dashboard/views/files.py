"""Files that are being made or are there, in words."""

from analytics.glance.numbers import amount
from stockverify.vocabulary import ExportStatus
from stockverify.wire.exports import ExportJob

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def size(number: int) -> str:
    """A size in the largest unit of which there is at least one; a large number of small ones says nothing."""
    value, unit = float(number), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:,.0f} {_UNITS[unit]}" if unit == 0 or value >= 10 else f"{value:.1f} {_UNITS[unit]}"


def share(job: ExportJob) -> float:
    """How much is done, from 0 to 1; 0 while nobody knows how much there is."""
    return min(job.rows_done / job.rows_total, 1.0) if job.rows_total else 0.0


def progress(job: ExportJob) -> str:
    """How far it is."""
    if job.status == ExportStatus.QUEUED:
        return "waiting for its turn"
    done = amount(job.rows_done, "lines")
    return f"{done} of {amount(job.rows_total, 'lines')} rows" if job.rows_total else f"{done} rows so far"
