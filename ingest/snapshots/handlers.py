"""/api/reports/snapshots"""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from ingest.outages import TAKES_ITS_TIME
from ingest.snapshots.rules import MAX_PAGE
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire.lineage import SnapshotLineage
from stockverify.wire.reports import CreateSnapshot, Snapshot, SnapshotDeleted, SnapshotPage, SnapshotPinned

Listed = Annotated[int, QueryParameter(ge=1, le=1000)]
Skip = Annotated[int, QueryParameter(ge=0, le=2**53)]
Page = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE)]


class SnapshotController(Controller):
    """Freezes and reports: made, listed, read, refreshed, pinned and deleted."""

    path = "/api/reports/snapshots"
    opt = TAKES_ITS_TIME
    tags = ("reports",)

    @post("/", name="reports.create_snapshot")
    async def create(self, data: JSONBody[CreateSnapshot], caller: CurrentCaller, stores: Stores) -> Snapshot:
        """Freeze the data as it is now, and keep the rows of a query on it."""
        return await stores.snapshots.create(data, caller)

    @get("/", name="reports.snapshots")
    async def snapshots(
        self,
        caller: CurrentCaller,
        stores: Stores,
        created_by: FromQuery[str | None] = None,
        snapshot_type: FromQuery[str | None] = None,
        tags: FromQuery[str | None] = None,
        limit: Listed = 100,
    ) -> list[Snapshot]:
        """Snapshots, newest first; those of type `stock` hold everything of one moment."""
        return await stores.snapshots.snapshots(caller, created_by, snapshot_type, tags, limit)

    @get("/{snapshot_id:str}", name="reports.snapshot")
    async def snapshot(
        self, snapshot_id: FromPath[str], caller: CurrentCaller, stores: Stores, skip: Skip = 0, limit: Page = 100
    ) -> SnapshotPage:
        """One page of a snapshot's rows."""
        return await stores.snapshots.snapshot(snapshot_id, caller, skip, limit)

    @get("/{snapshot_id:str}/lineage", name="reports.lineage")
    async def lineage(self, snapshot_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> SnapshotLineage:
        """Where a snapshot comes from, and what refers to it."""
        return await stores.snapshots.lineage(snapshot_id, caller)

    @delete("/{snapshot_id:str}", name="reports.delete_snapshot", status_code=HTTP_200_OK)
    async def delete(self, snapshot_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> SnapshotDeleted:
        """Forget a report snapshot; for its maker and for admins."""
        return await stores.snapshots.delete(snapshot_id, caller, datetime.now(UTC))

    @post("/{snapshot_id:str}/refresh", name="reports.refresh_snapshot", status_code=HTTP_200_OK)
    async def refresh(self, snapshot_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> Snapshot:
        """A new snapshot of the same query."""
        return await stores.snapshots.refresh(snapshot_id, caller)

    @post("/{snapshot_id:str}/pin", name="reports.pin", status_code=HTTP_200_OK)
    async def pin(self, snapshot_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> SnapshotPinned:
        """Keep a snapshot, whatever retention says."""
        return await stores.snapshots.pin(snapshot_id, caller, datetime.now(UTC))

    @post("/{snapshot_id:str}/unpin", name="reports.unpin", status_code=HTTP_200_OK)
    async def unpin(self, snapshot_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> SnapshotPinned:
        """Leave a snapshot to retention again."""
        return await stores.snapshots.unpin(snapshot_id, caller, datetime.now(UTC))
