"""/api/reports"""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import File
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from ingest.outages import TAKES_ITS_TIME
from ingest.reports.files import download
from ingest.reports.rules import MAX_PAGE
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire.reports import (
    CollectionsReply,
    Compare,
    ComparisonJob,
    CreateSnapshot,
    PreviewReply,
    QuerySpec,
    RequestRun,
    Run,
    Snapshot,
    SnapshotDeleted,
    SnapshotPage,
)

Listed = Annotated[int, QueryParameter(ge=1, le=1000)]
Skip = Annotated[int, QueryParameter(ge=0, le=2**53)]
Page = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE)]


class ReportController(Controller):
    """Queries, snapshots, comparisons and runs."""

    path = "/api/reports"
    opt = TAKES_ITS_TIME
    tags = ("reports",)

    @post("/query/preview", name="reports.preview", status_code=HTTP_200_OK)
    async def preview(self, data: JSONBody[QuerySpec], stores: Stores) -> PreviewReply:
        """Rows of a query on live data, with the pipeline that gave them."""
        return await stores.reports.preview(data, datetime.now(UTC))

    @get("/collections", name="reports.collections")
    async def collections(self, stores: Stores) -> CollectionsReply:
        """What can be asked."""
        return await stores.reports.collections()

    @post("/snapshots", name="reports.create_snapshot")
    async def create(self, data: JSONBody[CreateSnapshot], caller: CurrentCaller, stores: Stores) -> Snapshot:
        """Freeze the data as it is now, and keep a query with it."""
        return await stores.reports.create(data, caller)

    @get("/snapshots", name="reports.snapshots")
    async def snapshots(
        self,
        stores: Stores,
        created_by: FromQuery[str | None] = None,
        snapshot_type: FromQuery[str | None] = None,
        tags: FromQuery[str | None] = None,
        limit: Listed = 100,
    ) -> list[Snapshot]:
        """Snapshots, newest first; those of type `stock` hold everything of one moment."""
        return await stores.reports.snapshots(created_by, snapshot_type, tags, limit)

    @get("/snapshots/{snapshot_id:str}", name="reports.snapshot")
    async def snapshot(
        self, snapshot_id: FromPath[str], stores: Stores, skip: Skip = 0, limit: Page = 100
    ) -> SnapshotPage:
        """One page of a snapshot's rows."""
        return await stores.reports.snapshot(snapshot_id, skip, limit)

    @delete("/snapshots/{snapshot_id:str}", name="reports.delete_snapshot", status_code=HTTP_200_OK)
    async def delete(self, snapshot_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> SnapshotDeleted:
        """Forget a report snapshot; for its maker and for admins."""
        return await stores.reports.delete(snapshot_id, caller)

    @post("/snapshots/{snapshot_id:str}/refresh", name="reports.refresh_snapshot", status_code=HTTP_200_OK)
    async def refresh(self, snapshot_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> Snapshot:
        """A new snapshot of the same query."""
        return await stores.reports.refresh(snapshot_id, caller)

    @get("/snapshots/{snapshot_id:str}/export", name="reports.export_snapshot")
    async def export(
        self,
        snapshot_id: FromPath[str],
        caller: CurrentCaller,
        stores: Stores,
        format: FromQuery[str] = "csv",
        dataset: FromQuery[str | None] = None,
    ) -> File:
        """A snapshot as CSV, XLSX, JSON or Parquet; of a freeze, `dataset` names the part (positions if left out)."""
        made = await stores.reports.export(snapshot_id, format, dataset, caller)
        return download(made)

    @post("/compare", name="reports.compare", status_code=HTTP_200_OK)
    async def compare(self, data: JSONBody[Compare], caller: CurrentCaller, stores: Stores) -> ComparisonJob:
        """Compare two snapshots and keep the outcome."""
        return await stores.reports.compare(data, caller, datetime.now(UTC))

    @get("/compare/{job_id:str}", name="reports.comparison")
    async def comparison(self, job_id: FromPath[str], stores: Stores) -> ComparisonJob:
        """One comparison."""
        return await stores.reports.comparison(job_id)

    @get("/compare", name="reports.comparisons")
    async def comparisons(
        self, stores: Stores, created_by: FromQuery[str | None] = None, limit: Listed = 100
    ) -> list[ComparisonJob]:
        """Comparisons, newest first."""
        return await stores.reports.comparisons(created_by, limit)

    @post("/runs", name="reports.request_run", status_code=HTTP_202_ACCEPTED)
    async def request_run(self, data: JSONBody[RequestRun], caller: CurrentCaller, stores: Stores) -> Run:
        """Ask the worker for a snapshot now; ask for the run to see when it is done."""
        return await stores.reports.request_run(data, caller, datetime.now(UTC))

    @get("/runs/{run_id:str}", name="reports.run")
    async def run(self, run_id: FromPath[str], stores: Stores) -> Run:
        """One run of the worker."""
        return await stores.reports.run(run_id)

    @get("/runs", name="reports.runs")
    async def runs(self, stores: Stores, limit: Listed = 50) -> list[Run]:
        """Runs of the worker, newest first."""
        return await stores.reports.runs(limit)
