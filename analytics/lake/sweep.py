"""Removes what interrupted writers left behind; nothing here was ever visible to a reader."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from analytics.lake.beside import FOLDER as FIGURES
from analytics.lake.ids import is_snapshot_id
from analytics.lake.publish import DRAFT_PREFIX
from analytics.lake.removing import GONE_PREFIX
from analytics.lake.scopes import roots
from stockverify.age import changed_before
from stockverify.datasets import HELD, POSITIONS

# Far longer than any writer works: what is younger may still be in use.
LEFTOVER_AGE = timedelta(days=1)


def sweep(root: Path, now: datetime, age: timedelta = LEFTOVER_AGE) -> list[Path]:
    """Remove drafts, datasets of snapshots that were never completed, and figures of such that are gone, if they are
    older than `age`; and at once what is on its way out."""
    found = [path for lake in (root, *roots(root)) for path in (*_leftovers(lake), *_figures(lake))]
    removed = [path for path in found if path.name.startswith(GONE_PREFIX) or changed_before(path, now - age)]
    for path in removed:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return removed


def _figures(root: Path) -> Iterator[Path]:
    """Those that a removal left behind which was killed after the snapshot itself had gone, and drafts."""
    folder = root / FIGURES
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not (root / POSITIONS.name / path.stem).exists():
            yield path


def _leftovers(root: Path) -> Iterator[Path]:
    for name in HELD:
        folder = root / name
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            unfinished = is_snapshot_id(path.name) and not (root / POSITIONS.name / path.name).exists()
            if path.name.startswith((DRAFT_PREFIX, GONE_PREFIX)) or unfinished:
                yield path
