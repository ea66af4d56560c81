"""What refers to a snapshot, as MongoDB knows it."""

import asyncio
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from stockverify.clients import Document
from stockverify.vocabulary import Collection
from stockverify.wire.lineage import SnapshotUse

_MOST = 100
_SHOWN: Document = {"name": 1, "created_by": 1, "owner": 1, "created_at": 1, "report.ref": 1}


class References:
    """Reads what refers to a snapshot."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._reports, self._comparisons = database[Collection.REPORT_SNAPSHOTS], database[Collection.COMPARE_JOBS]
        self._schedules = database[Collection.SCHEDULES]

    async def uses(self, snapshot_id: str) -> list[SnapshotUse]:
        """All that refer to it, by kind."""
        reports = self._found("report", self._reports, {"freeze_id": snapshot_id})
        again = self._found("refreshed", self._reports, {"refreshed_from": snapshot_id})
        sides = [{side: snapshot_id} for side in ("snapshot_a_id", "snapshot_b_id")]
        comparisons = self._found("comparison", self._comparisons, {"$or": sides})
        found = await asyncio.gather(reports, again, comparisons, self.schedules(snapshot_id))
        return [use for uses in found for use in uses]

    async def schedules(self, snapshot_id: str) -> list[SnapshotUse]:
        """Schedules that report on it."""
        return await self._found("schedule", self._schedules, {"report.ref": snapshot_id})

    async def _found(self, kind: str, collection: Any, wanted: Document) -> list[SnapshotUse]:
        found = await collection.find(wanted, _SHOWN).sort("created_at", -1).limit(_MOST).to_list()
        return [
            SnapshotUse(
                kind=kind,
                id=each["_id"],
                name=each.get("name") or each["_id"],
                created_by=each.get("created_by") or each.get("owner") or "",
                created_at=each["created_at"].timestamp(),
            )
            for each in found
        ]
