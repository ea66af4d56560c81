"""Removing a snapshot: renamed away first, so that no reader ever finds a part of one; then its files go."""

import shutil
from pathlib import Path

from analytics.lake import durable
from analytics.lake.beside import forget
from analytics.lake.ids import checked_id
from analytics.lake.scopes import roots
from stockverify.datasets import HELD, POSITIONS

GONE_PREFIX = ".gone-"


def remove(root: Path, snapshot_id: str) -> None:
    """Remove a snapshot; safe to do again, also after a kill at any point.

    Its positions go first: without them it does not exist for readers, and what is left of it is swept away. Whoever
    has opened one of its files reads on; files that other snapshots share stay under their other names. Its copies for
    people with a scope go after it: they are not shown without it.
    """
    names = [POSITIONS.name, *(name for name in HELD if name != POSITIONS.name)]
    for name in names:
        _rename_away(root / name / checked_id(snapshot_id))
    forget(root, snapshot_id)
    for name in names:
        shutil.rmtree(gone(root / name / snapshot_id), ignore_errors=True)
    for scope in roots(root):
        remove(scope, snapshot_id)


def gone(folder: Path) -> Path:
    """What a folder is called while it is removed."""
    return folder.with_name(f"{GONE_PREFIX}{folder.name}")


def _rename_away(folder: Path) -> None:
    if folder.is_dir():
        folder.rename(gone(folder))
        durable.sync(folder.parent)
