"""/api/sync/conflicts"""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, Request, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from ingest.conflicts.rules import kinds_asked, refuse_operators
from ingest.outages import TAKES_ITS_TIME
from ingest.wiring import CurrentCaller, Stores
from stockverify.vocabulary import ConflictStatus
from stockverify.wire.conflicts import (
    MAX_CONFLICTS,
    BatchResolve,
    BatchResolvedReply,
    ConflictInFullReply,
    ConflictReply,
    ConflictsReply,
    ConflictStatsReply,
    ResolveConflict,
)

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_CONFLICTS)]


class ConflictController(Controller):
    """Records kept aside, and how supervisors settle them."""

    path = "/api/sync/conflicts"
    tags = ("conflicts",)

    @get("/", name="conflicts.list")
    async def listed(
        self,
        request: Request,
        caller: CurrentCaller,
        stores: Stores,
        status: FromQuery[ConflictStatus | None] = None,
        session_id: FromQuery[str | None] = None,
        user: FromQuery[str | None] = None,
        entity_type: FromQuery[str | None] = None,
        conflict_type: FromQuery[str | None] = None,
        limit: Limit = 100,
    ) -> ConflictsReply:
        """Conflicts, newest first; `user` is a user name, and `conflict_type` may name several, with commas between.
        Staff see their own."""
        refuse_operators(request.query_params)
        kinds = kinds_asked(conflict_type)
        filters = {"status": status, "session_id": session_id, "user": user, "entity_type": entity_type}
        return ConflictsReply(data=await stores.conflicts.listed(caller, limit, kinds, **filters))

    @get("/stats", name="conflicts.stats")
    async def stats(self, caller: CurrentCaller, stores: Stores) -> ConflictStatsReply:
        """How many conflicts are pending and resolved, and how many of each type there are in all."""
        return ConflictStatsReply(data=await stores.conflicts.stats(caller))

    @get("/{conflict_id:str}", name="conflicts.one")
    async def one(self, conflict_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> ConflictInFullReply:
        """One conflict, with earlier versions of its record."""
        return ConflictInFullReply(data=await stores.conflicts.one(conflict_id, caller))

    @post("/{conflict_id:str}/resolve", name="conflicts.resolve", status_code=HTTP_200_OK)
    async def resolve(
        self, conflict_id: FromPath[str], data: JSONBody[ResolveConflict], caller: CurrentCaller, stores: Stores
    ) -> ConflictReply:
        """Settle a conflict; the same again changes nothing, another outcome is refused."""
        return ConflictReply(data=await stores.conflicts.resolve(conflict_id, data, caller, datetime.now(UTC)))

    @post("/batch-resolve", name="conflicts.batch_resolve", status_code=HTTP_200_OK, opt=TAKES_ITS_TIME)
    async def batch_resolve(
        self, data: JSONBody[BatchResolve], caller: CurrentCaller, stores: Stores
    ) -> BatchResolvedReply:
        """Settle many alike, each by itself."""
        return BatchResolvedReply(data=await stores.conflicts.resolve_all(data, caller, datetime.now(UTC)))
