"""What a database that was brought back from a backup must leave alone in the lake.

It knows nothing of what was made, pinned or mailed since the backup, and the database that does may still be there: a
copy is looked at, and then people go on with the one before (docs/decisions/0034).
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from pymongo.database import Database

from analytics.extract.moment import incarnations
from analytics.lake import Freeze, Lake
from stockverify import restored
from stockverify.clients import Document
from stockverify.datasets import RECORDS
from stockverify.errors import StockVerifyError
from stockverify.vocabulary import Collection


def was_brought_back(database: Database[Document], now: datetime) -> bool:
    """Whether that was less than 31 days ago, by the audit log."""
    return restored.lately(database[Collection.ACTIVITY_LOGS].find(restored.ENTRIES, {"at": 1}), now)


def not_taken_by(database: Database[Document], lake: Lake, freezes: Iterable[Freeze]) -> set[str]:
    """The ids of snapshots of another database: each says of which incarnation of the records it is. One that cannot be
    read is among them."""
    mine = incarnations(database).get(str(RECORDS.collection))
    return {each.snapshot_id for each in freezes if _incarnation(lake, each.snapshot_id) != mine}


def _incarnation(lake: Lake, snapshot_id: str) -> str | None:
    with suppress(StockVerifyError):
        origin = lake.manifest(RECORDS.name, snapshot_id).origin
        return origin.incarnation if origin else ""
    return ""
