"""/api/reports/exports"""

from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import Controller, get, head, post
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter
from litestar.response import Response
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from ingest.exports.giving import about, download
from ingest.outages import TAKES_ITS_TIME
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire.exports import CreateExport, ExportJob, ExportManifest

Listed = Annotated[int, QueryParameter(ge=1, le=1000)]
Expires = Annotated[int, QueryParameter(ge=0, le=2**40)]
Range = Annotated[str | None, HeaderParameter(name="Range")]
IfRange = Annotated[str | None, HeaderParameter(name="If-Range")]


class ExportController(Controller):
    """Files that take long: asked for, made in the background, fetched by a link."""

    path = "/api/reports/exports"
    opt = TAKES_ITS_TIME
    tags = ("reports",)

    @post("/", name="exports.create", status_code=HTTP_202_ACCEPTED)
    async def create(self, data: JSONBody[CreateExport], caller: CurrentCaller, stores: Stores) -> ExportJob:
        """Ask for a file; ask for the job to see how far it is."""
        return await stores.exports.create(data, caller, datetime.now(UTC))

    @get("/", name="exports.list")
    async def listed(
        self, caller: CurrentCaller, stores: Stores, created_by: FromQuery[str | None] = None, limit: Listed = 100
    ) -> list[ExportJob]:
        """Export jobs, newest first."""
        return await stores.exports.listed(caller, created_by, limit)

    @get("/{job_id:str}", name="exports.one")
    async def one(self, job_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> ExportJob:
        """One export job; when it is done, with a link that works without a token for as long as the file is kept."""
        return await stores.exports.one(job_id, caller)

    @get("/{job_id:str}/manifest", name="exports.manifest")
    async def manifest(self, job_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> ExportManifest:
        """What the file of a job that is done holds, and where its numbers come from."""
        return await stores.exports.manifest(job_id, caller)

    @post("/{job_id:str}/cancel", name="exports.cancel", status_code=HTTP_200_OK)
    async def cancel(self, job_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> ExportJob:
        """Cancel a job; one that is running stops a moment later. Nothing of it is kept."""
        return await stores.exports.cancel(job_id, caller, datetime.now(UTC))

    @get("/{job_id:str}/file", name="exports.file")
    async def file(
        self,
        job_id: FromPath[str],
        stores: Stores,
        expires: Expires,
        user: FromQuery[str],
        signature: FromQuery[str],
        part: Range = None,
        if_range: IfRange = None,
    ) -> Response[Any]:
        """The file of a link, as it was given out; or the part of it that Range asks for."""
        found = await stores.exports.file(job_id, expires, user, signature, datetime.now(UTC))
        return download(*found, part, if_range)

    @head("/{job_id:str}/file", name="exports.about_file")
    async def about_file(
        self, job_id: FromPath[str], stores: Stores, expires: Expires, user: FromQuery[str], signature: FromQuery[str]
    ) -> Response[None]:
        """What the file of a link is, without the file: browsers, mail scanners and download managers ask first."""
        return about(*await stores.exports.file(job_id, expires, user, signature, datetime.now(UTC)))
