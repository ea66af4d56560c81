"""The job that takes a snapshot."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pymongo.database import Database

from analytics.extract import materialise
from analytics.lake import Freeze, Lake
from analytics.lake.sweep import sweep
from stockverify.clients import Document


class Taken(NamedTuple):
    """The snapshot, and the leftovers of interrupted ones that were cleared away."""

    freeze: Freeze
    swept: list[Path]


def take_snapshot(
    lake: Lake, database: Database[Document], name: str, as_of: datetime, stopping: Callable[[], bool]
) -> Taken:
    """Safe to run twice: it only ever adds a snapshot. Raises NothingToFreeze or Abandoned."""
    return Taken(materialise(lake, database, as_of, name, stopping), sweep(lake.root, as_of))
