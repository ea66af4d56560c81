"""The folder in which the processes of the service keep their values, so that any of them can answer for all.

The library chooses between a folder and plain memory while it is imported: `use` comes before that import.
"""

import os
from contextlib import suppress
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def use(folder: Path) -> None:
    """Keep the values of this process in `folder` from now on."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[VARIABLE] = str(folder)


def in_use() -> Path | None:
    """The folder, or None when this process keeps its values for itself, as in tests of single functions."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def forget_the_dead(folder: Path) -> None:
    """Remove the gauges of processes that run no more; what they counted stays."""
    for path in folder.glob("gauge_live*_*.db"):
        pid = path.stem.rpartition("_")[2]
        if pid.isdecimal() and not _runs(int(pid)):
            path.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
