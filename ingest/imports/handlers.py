"""/api/imports"""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, Request, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import File
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from ingest.bodies import STREAMED
from ingest.imports.receiving import announced
from ingest.outages import TAKES_ITS_TIME
from ingest.reports.files import download
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire.imports import CommitImport, ImportDiscarded, ImportJob, ImportListed, ImportOptions

Listed = Annotated[int, QueryParameter(ge=1, le=1000)]
FileName = Annotated[str, QueryParameter(max_length=1000)]


class ImportController(Controller):
    """Stock lists: uploaded, checked, imported."""

    path = "/api/imports"
    opt = TAKES_ITS_TIME
    tags = ("imports",)

    @post("/", name="imports.upload", opt=STREAMED)
    async def upload(
        self, request: Request, caller: CurrentCaller, stores: Stores, name: FileName = "stock list"
    ) -> ImportJob:
        """Upload a stock list, CSV or XLSX, as the body; it is kept for a day and checked at once, and nothing is
        written into the book."""
        announced(request.headers.get("content-length"))
        return await stores.imports.upload(name, request.stream(), caller, datetime.now(UTC))

    @get("/", name="imports.list")
    async def listed(self, stores: Stores, limit: Listed = 50) -> list[ImportListed]:
        """Uploaded lists, newest first."""
        return await stores.imports.listed(limit)

    @get("/{import_id:str}", name="imports.one")
    async def one(self, import_id: FromPath[str], stores: Stores) -> ImportJob:
        """One list: how it was read, what importing it would do, and how far that is."""
        return await stores.imports.one(import_id)

    @post("/{import_id:str}/check", name="imports.check", status_code=HTTP_200_OK)
    async def check(
        self, import_id: FromPath[str], data: JSONBody[ImportOptions], caller: CurrentCaller, stores: Stores
    ) -> ImportJob:
        """A dry run, with what is said about the list; nothing is written into the book."""
        return await stores.imports.check(import_id, data, caller)

    @get("/{import_id:str}/rejects", name="imports.rejects")
    async def rejects(self, import_id: FromPath[str], stores: Stores) -> File:
        """All bad rows of the dry run as CSV, reasons first, to be corrected there and uploaded again."""
        return download(await stores.imports.rejects(import_id))

    @post("/{import_id:str}/commit", name="imports.commit", status_code=HTTP_202_ACCEPTED)
    async def commit(
        self, import_id: FromPath[str], data: JSONBody[CommitImport], caller: CurrentCaller, stores: Stores
    ) -> ImportJob:
        """Import the good rows just as the dry run says; ask for the list to see how far it is."""
        return await stores.imports.commit(import_id, data, caller, datetime.now(UTC))

    @delete("/{import_id:str}", name="imports.discard", status_code=HTTP_200_OK)
    async def discard(self, import_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> ImportDiscarded:
        """Forget an uploaded list that was not imported, and its file."""
        return await stores.imports.discard(import_id, caller)
