"""Asks the reports process for anomalies; nothing of them is kept."""

from ingest.anomalies import rules
from ingest.auth.rules import Caller
from ingest.reports import errands
from ingest.reports.room import Room
from stockverify.wire.anomalies import AnomaliesReply


class AnomalyStore:
    """Reads anomalies."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def flags(
        self, caller: Caller, snapshot_id: str, kind: str | None, against: str | None, limit: int
    ) -> AnomaliesReply:
        """The flags of a snapshot. Raises what the reports process says of unknown kinds and snapshots."""
        asked = errands.FindAnomalies(
            snapshot_id=snapshot_id, kinds=rules.kinds_asked(kind), against=against, limit=limit
        )
        return await self._room.run(asked, AnomaliesReply, caller.floors)
