"""Progress, cancelling, and a disk that is full: whoever watches is told, and nothing half-written stays."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from analytics.export import Cancelled, Format, Order, Table, export
from stockverify.datasets import Type
from tests.analytics.stock import NOW

ORDER = Order("ann", "UTC", NOW)
ROWS = 45_000


def table(rows: int = ROWS) -> Table:
    frame = pl.DataFrame({"item_code": [f"{number:05}" for number in range(rows)]})
    return Table("t", (("item_code", Type.STRING),), frame.iter_slices(20_000), {}, rows)


def test_whoever_watches_is_told_after_every_batch(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    export(table(), Format.NDJSON, tmp_path / "x", ORDER, lambda done, total: told.append((done, total)))
    assert told == [(0, ROWS), (20_000, ROWS), (40_000, ROWS), (ROWS, ROWS)]
    told.clear()
    export(table(5_000), Format.XLSX, tmp_path / "x", ORDER, lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == [0, 2_000, 4_000, 5_000]


@pytest.mark.parametrize("kind", Format)
def test_a_cancelled_export_leaves_nothing_behind(tmp_path: Path, kind: Format) -> None:
    def stop(done: int, _total: int | None) -> None:
        if done:
            raise Cancelled(rows=done)

    with pytest.raises(Cancelled, match="was cancelled after"):
        export(table(), kind, tmp_path / "out" / "x", ORDER, stop)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("kind", Format)
def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path: Path, kind: Format) -> None:
    """The kernel refuses to let files of this process grow beyond a limit, as it does on a disk that is full."""
    code = f"""
import resource, signal
from pathlib import Path
from tests.analytics.export.test_watching import ORDER, table
from analytics.export import Format, export, write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
try:
    export(table(), Format("{kind}"), Path({str(tmp_path / "out" / "x")!r}), ORDER)
except write.DiskFull as error:
    print(error.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    expected = f"There is no room left for x in {tmp_path / 'out'}; nothing was exported."
    assert done.stdout.startswith(expected), done.stderr
    assert list((tmp_path / "out").iterdir()) == []
