"""The job that takes a snapshot."""

from collections.abc import Callable
from datetime import datetime

from pymongo.database import Database

from analytics.extract import Terms, materialise
from analytics.lake import Freeze, Lake
from analytics.lake.sweep import sweep
from stockverify.clients import Document


def take_snapshot(
    lake: Lake, database: Database[Document], name: str, as_of: datetime, stopping: Callable[[], bool], terms: Terms
) -> Freeze:
    """Safe to run twice: it only ever adds a snapshot, and clears away what interrupted ones left behind.

    Raises NothingToFreeze, SnapshotRefused or Abandoned.
    """
    freeze = materialise(lake, database, as_of, name, stopping, terms)
    sweep(lake.root, as_of)
    return freeze
