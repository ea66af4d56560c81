"""/api/reports"""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import File
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from ingest.outages import TAKES_ITS_TIME
from ingest.reports.files import download
from ingest.reports.rules import wanted_runs
from ingest.wiring import CurrentCaller, Stores
from stockverify.vocabulary import RunKind, RunStatus
from stockverify.wire.reports import (
    CollectionsReply,
    PreviewReply,
    PreviewSpec,
    RequestRun,
    Run,
)

Skip = Annotated[int, QueryParameter(ge=0, le=1_000_000)]
Listed = Annotated[int, QueryParameter(ge=1, le=1000)]


class ReportController(Controller):
    """Queries, exports and runs."""

    path = "/api/reports"
    opt = TAKES_ITS_TIME
    tags = ("reports",)

    @post("/query/preview", name="reports.preview", status_code=HTTP_200_OK)
    async def preview(self, data: JSONBody[PreviewSpec], caller: CurrentCaller, stores: Stores) -> PreviewReply:
        """Rows of a query on live data, with the pipeline that gave them, or on a snapshot."""
        return await stores.reports.preview(data, caller, datetime.now(UTC))

    @get("/collections", name="reports.collections")
    async def collections(self, stores: Stores) -> CollectionsReply:
        """What can be asked."""
        return await stores.reports.collections()

    @get("/snapshots/{snapshot_id:str}/export", name="reports.export_snapshot")
    async def export(
        self,
        snapshot_id: FromPath[str],
        caller: CurrentCaller,
        stores: Stores,
        format: FromQuery[str] = "csv",
        dataset: FromQuery[str | None] = None,
    ) -> File:
        """A snapshot as CSV, XLSX, JSON, NDJSON, Parquet or PDF; of a freeze, `dataset` names the part."""
        made = await stores.reports.export(snapshot_id, format, dataset, caller)
        return download(made)

    @post("/runs", name="reports.request_run", status_code=HTTP_202_ACCEPTED)
    async def request_run(self, data: JSONBody[RequestRun], caller: CurrentCaller, stores: Stores) -> Run:
        """Ask the worker for a snapshot now; ask for the run to see when it is done."""
        return await stores.reports.request_run(data, caller, datetime.now(UTC))

    @get("/runs/{run_id:str}", name="reports.run")
    async def run(self, run_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> Run:
        """One run of the worker."""
        return await stores.reports.run(run_id, caller)

    @get("/runs", name="reports.runs")
    async def runs(
        self,
        stores: Stores,
        schedule_id: FromQuery[str | None] = None,
        kind: FromQuery[RunKind | None] = None,
        status: FromQuery[RunStatus | None] = None,
        skip: Skip = 0,
        limit: Listed = 50,
    ) -> list[Run]:
        """Runs of the worker, newest first."""
        return await stores.reports.runs(wanted_runs(schedule_id, kind, status), skip, limit)
