"""Takes a snapshot: MongoDB at one moment, written dataset by dataset, the derived positions last."""

import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import duckdb
from msgspec import structs
from pymongo.database import Database

from analytics.engine import engine_of
from analytics.extract import changes, moment
from analytics.extract.base import base_of
from analytics.extract.changes import WholeNeeded
from analytics.extract.gate import SnapshotRefused, Terms
from analytics.extract.incremental import incremental
from analytics.extract.task import Task
from analytics.extract.whole import whole
from analytics.lake.ids import new_snapshot_id
from analytics.lake.manifest import Freeze, freeze_of
from analytics.lake.parts import ROWS_PER_PART
from analytics.lake.publish import Head, Published, withdraw
from analytics.lake.store import Lake
from stockverify.clients import Document
from stockverify.datasets import COLLECTED
from stockverify.errors import Refused, StockVerifyError

_log = logging.getLogger("analytics.extract")
_USUAL = Terms()


class NothingToFreeze(Refused):
    """There is no item, session or record yet, so there is nothing to take a snapshot of.
    Import a stock list with `stockverify import FILE` first."""


def _never() -> bool:
    return False


def materialise(
    lake: Lake,
    database: Database[Document],
    now: datetime,
    name: str = "",
    stopping: Callable[[], bool] = _never,
    terms: Terms = _USUAL,
    rows_per_part: int = ROWS_PER_PART,
) -> Freeze:
    """Publish one snapshot of everything; readers see it whole or not at all. It builds on the newest one where it can,
    and reads everything where it cannot, for a reason that the log and the manifest say.

    `stopping` is asked before each batch; once it says true, Abandoned is raised. Raises NothingToFreeze, or
    SnapshotRefused when the outcome does not agree with MongoDB or with the snapshot before.
    """
    with moment.moment(database, COLLECTED) as at:
        if at is None:
            raise NothingToFreeze()
        head = Head(snapshot_id=_new_id(lake, now), name=name, as_of=at.as_of, created_at=now)
        with engine_of(lake.root) as engine:
            known = moment.incarnations(database)
            taken = _taken(lake, Task(lake.root, database, at, known, head, terms, stopping, rows_per_part, engine))
    return freeze_of(taken.manifest)


def _taken(lake: Lake, task: Task) -> Published:
    try:
        if task.terms.whole:
            raise WholeNeeded("it was asked for")
        base = base_of(lake, task.database, task.at, task.incarnations)
        return _attempt(task, lambda: incremental(task, base))
    except WholeNeeded as reason:
        because = str(reason)
    except SnapshotRefused as refused:
        because = refused.message
    except (OSError, duckdb.IOException) as error:
        if not _of_reading(error):
            raise
        because = f"a file of the earlier snapshot could not be read: {error}"
    _log.info("whole snapshot: %s", because)
    again = task._replace(head=structs.replace(task.head, snapshot_id=_new_id(lake, task.head.created_at)))
    return _attempt(again, lambda: whole(again, because, _rows_before(lake)))


def _of_reading(error: Exception) -> bool:
    """Not of a full disk. A file that vanishes amid rows that are read in batches is an OSError of Arrow with DuckDB's
    words."""
    return isinstance(error, FileNotFoundError | duckdb.IOException) or str(error).startswith("IO Error")


def _attempt(task: Task, take: Callable[[], Published]) -> Published:
    """What is not completed is removed at once: a gate that refuses every quarter of an hour must not fill the disk."""
    changes.mark(task.database, task.head.snapshot_id, task.head.created_at)
    try:
        return take()
    finally:
        withdraw(task.root, task.head.snapshot_id)


def _rows_before(lake: Lake) -> dict[str, int]:
    """The rows of the newest snapshot that can be read, by dataset; of none when there is none."""
    for freeze in lake.freezes()[:1]:
        with suppress(StockVerifyError):
            return {dataset.name: lake.manifest(dataset.name, freeze.snapshot_id).rows for dataset in COLLECTED}
    return {}


def _new_id(lake: Lake, now: datetime) -> str:
    return new_snapshot_id(now, secrets.token_hex(4), next(iter(lake.ids()), None))
