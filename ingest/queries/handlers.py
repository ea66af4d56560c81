"""/api/reports/queries and /api/reports/templates"""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from ingest.outages import TAKES_ITS_TIME
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire.queries import QueryDeleted, ReportTemplate, SavedQuery, SaveQuery

Listed = Annotated[int, QueryParameter(ge=1, le=1000)]


class QueryController(Controller):
    """Queries that people keep, and those that are there for a start."""

    path = "/api/reports"
    opt = TAKES_ITS_TIME
    tags = ("reports",)

    @get("/templates", name="queries.templates")
    async def templates(self, stores: Stores) -> list[ReportTemplate]:
        """Reports that most stores ask for, each with its query and the question that it answers."""
        return await stores.queries.templates()

    @post("/queries", name="queries.save", status_code=HTTP_200_OK)
    async def save(self, data: JSONBody[SaveQuery], caller: CurrentCaller, stores: Stores) -> SavedQuery:
        """Keep a query; one that cannot be asked is refused."""
        return await stores.queries.save(data, caller, datetime.now(UTC))

    @get("/queries", name="queries.list")
    async def queries(
        self,
        stores: Stores,
        created_by: FromQuery[str | None] = None,
        tags: FromQuery[str | None] = None,
        limit: Listed = 100,
    ) -> list[SavedQuery]:
        """Saved queries, newest first; of several tags any one is enough."""
        return await stores.queries.queries(created_by, tags, limit)

    @get("/queries/{query_id:str}", name="queries.one")
    async def query(self, query_id: FromPath[str], stores: Stores) -> SavedQuery:
        """One saved query."""
        return await stores.queries.query(query_id)

    @delete("/queries/{query_id:str}", name="queries.delete", status_code=HTTP_200_OK)
    async def delete(self, query_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> QueryDeleted:
        """Forget a saved query; for its maker and for admins."""
        return await stores.queries.delete(query_id, caller)
