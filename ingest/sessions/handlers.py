"""/api/sessions"""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, Request, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from ingest.metrics.rules import reported_queue
from ingest.requests import restore_slashes
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire.sessions import (
    Heartbeat,
    OpenSession,
    Presence,
    Session,
    SessionCompleted,
    SessionPage,
    SessionStats,
    SessionStatusChanged,
)

Page = Annotated[int, QueryParameter(ge=1, le=1_000_000)]
PageSize = Annotated[int, QueryParameter(ge=1, le=500)]


class SessionController(Controller):
    """One counter's work."""

    path = "/api/sessions"
    tags = ("sessions",)
    before_request = restore_slashes  # type: ignore[assignment]  # Litestar calls it unbound

    @get("/active", name="sessions.active")
    async def active(
        self,
        caller: CurrentCaller,
        stores: Stores,
        user_id: FromQuery[str | None] = None,
        rack_id: FromQuery[str | None] = None,
    ) -> list[Session]:
        """Sessions that are not finished."""
        return await stores.sessions.active(caller, user_id, rack_id)

    @get("/presence", name="sessions.presence")
    async def presence(self, caller: CurrentCaller, stores: Stores) -> list[Presence]:
        """Who is at work, and whose device has fallen silent."""
        return await stores.sessions.presence(caller)

    @get("/user/history", name="sessions.history")
    async def history(self, caller: CurrentCaller, stores: Stores, limit: PageSize = 50) -> list[Session]:
        """The caller's own sessions, newest first."""
        return await stores.sessions.history(caller, limit)

    @get("/", name="sessions.list")
    async def page(
        self,
        caller: CurrentCaller,
        stores: Stores,
        page: Page = 1,
        page_size: PageSize = 50,
        status: FromQuery[str | None] = None,
        user_id: FromQuery[str | None] = None,
    ) -> SessionPage:
        """One page of sessions, newest first."""
        return await stores.sessions.page(caller, page, page_size, status, user_id)

    @get("/{session_id:str}", name="sessions.one")
    async def one(self, session_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> Session:
        """One session."""
        return await stores.sessions.one(session_id, caller)

    @get("/{session_id:str}/stats", name="sessions.stats")
    async def stats(self, session_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> SessionStats:
        """Progress of one session."""
        return await stores.sessions.stats(session_id, caller, datetime.now(UTC))

    @post("/", name="sessions.open", status_code=HTTP_200_OK)
    async def open(self, data: JSONBody[OpenSession], caller: CurrentCaller, stores: Stores) -> Session:
        """Open a session without a rack."""
        return await stores.sessions.open(data, caller, datetime.now(UTC))

    @post("/{session_id:str}/heartbeat", name="sessions.heartbeat", status_code=HTTP_200_OK)
    async def heartbeat(
        self, session_id: FromPath[str], request: Request, caller: CurrentCaller, stores: Stores
    ) -> Heartbeat:
        """Keep the rack."""
        queue = reported_queue(request.headers.get("X-Queue-Length"), request.headers.get("X-Queue-Age"))
        return await stores.sessions.heartbeat(session_id, caller, datetime.now(UTC), queue)

    @post("/{session_id:str}/complete", name="sessions.complete", status_code=HTTP_200_OK)
    async def complete(self, session_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> SessionCompleted:
        """Finish a session and its rack."""
        return await stores.sessions.complete(session_id, caller, datetime.now(UTC))

    @put("/{session_id:str}/status", name="sessions.set_status")
    async def set_status(
        self, session_id: FromPath[str], status: FromQuery[str], caller: CurrentCaller, stores: Stores
    ) -> SessionStatusChanged:
        """Set a status by hand."""
        return await stores.sessions.set_status(session_id, status, caller, datetime.now(UTC))
