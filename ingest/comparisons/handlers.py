"""/api/reports/compare"""

from datetime import UTC, datetime

from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import File
from litestar.status_codes import HTTP_200_OK

from ingest.outages import TAKES_ITS_TIME
from ingest.reports.files import download
from ingest.snapshots.handlers import Listed, Page, Skip
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire.comparisons import Compare, ComparisonContributions, ComparisonJob, ComparisonRows, RowKind


class ComparisonController(Controller):
    """Comparisons of two snapshots."""

    path = "/api/reports/compare"
    opt = TAKES_ITS_TIME
    tags = ("reports",)

    @post("/", name="reports.compare", status_code=HTTP_200_OK)
    async def compare(self, data: JSONBody[Compare], caller: CurrentCaller, stores: Stores) -> ComparisonJob:
        """Compare two snapshots and keep the outcome."""
        return await stores.comparisons.compare(data, caller, datetime.now(UTC))

    @get("/", name="reports.comparisons")
    async def comparisons(
        self, caller: CurrentCaller, stores: Stores, created_by: FromQuery[str | None] = None, limit: Listed = 100
    ) -> list[ComparisonJob]:
        """Comparisons, newest first."""
        return await stores.comparisons.comparisons(caller, created_by, limit)

    @get("/{job_id:str}", name="reports.comparison")
    async def comparison(self, job_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> ComparisonJob:
        """One comparison."""
        return await stores.comparisons.comparison(job_id, caller)

    @post("/{job_id:str}/cancel", name="reports.cancel_comparison", status_code=HTTP_200_OK)
    async def cancel(self, job_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> ComparisonJob:
        """Cancel a comparison that is running; it stops a moment later, and whoever asked for it is told."""
        return await stores.comparisons.cancel(job_id, caller, datetime.now(UTC))

    @get("/{job_id:str}/rows", name="reports.comparison_rows")
    async def rows(
        self,
        job_id: FromPath[str],
        caller: CurrentCaller,
        stores: Stores,
        kind: FromQuery[RowKind] = "changed",
        skip: Skip = 0,
        limit: Page = 100,
    ) -> ComparisonRows:
        """One page of the rows that differ in one way, sorted by key."""
        return await stores.comparisons.rows(job_id, caller, kind, skip, limit)

    @get("/{job_id:str}/contributions", name="reports.comparison_contributions")
    async def contributions(
        self,
        job_id: FromPath[str],
        caller: CurrentCaller,
        stores: Stores,
        total: FromQuery[str | None] = None,
        by: FromQuery[str | None] = None,
        limit: Listed = 10,
    ) -> ComparisonContributions:
        """Why a total moved: the groups of `by` that moved it most; net variance value by floor, if not said."""
        return await stores.comparisons.contributions(job_id, caller, total, by, limit)

    @get("/{job_id:str}/export", name="reports.export_comparison")
    async def export(
        self, job_id: FromPath[str], caller: CurrentCaller, stores: Stores, format: FromQuery[str] = "csv"
    ) -> File:
        """Every row that differs, as CSV, XLSX, JSON, NDJSON, Parquet or PDF; for large ones ask for an export job."""
        return download(await stores.comparisons.export(job_id, format, caller))
