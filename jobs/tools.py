"""What every kind of work is given, and what it gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pymongo.database import Database

from analytics.lake import Lake
from stockverify.clients import Document
from stockverify.settings import Settings


class Tools(NamedTuple):
    """The collaborators of work. `stopping` says that the run is to be given up at the next good moment."""

    database: Database[Document]
    lake: Lake
    settings: Settings
    stopping: Callable[[], bool]


@dataclass(frozen=True)
class Done:
    """How work ended well: the snapshot it made or reports on, figures for the history, and a sentence for people."""

    snapshot_id: str | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
