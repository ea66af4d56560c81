"""Files in words."""

import pytest

from dashboard.views.files import progress, share, size
from stockverify.wire.exports import ExportJob


def job(status: str, done: int, total: int | None) -> ExportJob:
    nothing = dict.fromkeys(("dataset", "started_at", "finished_at", "file", "bytes", "sha256", "error"))
    known = {"job_id": "j", "format": "csv", "snapshot_id": "s", "created_by": "ann", "created_at": 0.0}
    return ExportJob(
        **known, **nothing, status=status, rows_done=done, rows_total=total, download_url=None, expires_at=None
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 bytes"),
        (1023, "1,023 bytes"),
        (1024, "1.0 KiB"),
        (10_240, "10 KiB"),
        (5 * 2**20, "5.0 MiB"),
        (3 * 2**50, "3,072 TiB"),
    ],
)
def test_sizes(number: int, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("status", "done", "total", "part", "text"),
    [
        ("queued", 0, None, 0.0, "waiting for its turn"),
        ("running", 0, None, 0.0, "0 rows so far"),
        ("running", 20_000, None, 0.0, "20,000 rows so far"),
        ("running", 500, 2000, 0.25, "500 of 2,000 rows"),
        ("running", 3000, 2000, 1.0, "3,000 of 2,000 rows"),
        ("running", 0, 0, 0.0, "0 rows so far"),
    ],
)
def test_how_far_it_is(status: str, done: int, total: int | None, part: float, text: str) -> None:
    assert (share(job(status, done, total)), progress(job(status, done, total))) == (part, text)
