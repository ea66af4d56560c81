"""Removes what interrupted writers left behind; nothing here was ever visible to a reader."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analytics.lake.ids import is_snapshot_id
from analytics.lake.publish import DRAFT_PREFIX
from analytics.lake.removing import GONE_PREFIX
from analytics.lake.scopes import roots
from stockverify.datasets import HELD, POSITIONS

# Far longer than any writer works: what is younger may still be in use.
LEFTOVER_AGE = timedelta(days=1)


def sweep(root: Path, now: datetime, age: timedelta = LEFTOVER_AGE) -> list[Path]:
    """Remove drafts, and datasets of snapshots that were never completed, if they are older than `age`; and at once
    what is on its way out."""
    folders = [path for lake in (root, *roots(root)) for path in _leftovers(lake)]
    removed = [path for path in folders if path.name.startswith(GONE_PREFIX) or _changed_at(path) < now - age]
    for path in removed:
        shutil.rmtree(path, ignore_errors=True)
    return removed


def _leftovers(root: Path) -> Iterator[Path]:
    for name in HELD:
        folder = root / name
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            unfinished = is_snapshot_id(path.name) and not (root / POSITIONS.name / path.name).exists()
            if path.name.startswith((DRAFT_PREFIX, GONE_PREFIX)) or unfinished:
                yield path


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
