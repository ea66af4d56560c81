"""/api/sync"""

import time
from datetime import UTC, datetime

from litestar import Controller, Request, get, post
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_200_OK

from ingest.metrics import observe
from ingest.requests import restore_slashes
from ingest.sync.outcomes import kind
from ingest.sync.replies import reply
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire.sessions import SyncHeartbeat
from stockverify.wire.sync import BatchReply, Receipt


class SyncController(Controller):
    """Batches of counted records."""

    path = "/api/sync"
    tags = ("sync",)

    @post("/batch", name="sync.batch", status_code=HTTP_200_OK)
    async def batch(self, request: Request, caller: CurrentCaller, stores: Stores) -> BatchReply:
        """Store a batch exactly once and answer for each record."""
        started = time.perf_counter()
        answer = await stores.sync.receive(await request.body(), caller)
        observe.batch(kind(outcome) for outcome in answer.outcomes)
        return reply(answer.batch_id, answer.outcomes, (time.perf_counter() - started) * 1000)

    @get("/batches/{batch_id:str}", name="sync.receipts", before_request=restore_slashes)
    async def receipts(self, batch_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> list[Receipt]:
        """What became of a batch: one entry for each delivery that stored something, newest first."""
        return await stores.sync.receipts(batch_id, caller)

    @post("/heartbeat", name="sync.heartbeat", status_code=HTTP_200_OK)
    async def heartbeat(
        self, session_id: FromQuery[str], caller: CurrentCaller, stores: Stores, rack_id: FromQuery[str | None] = None
    ) -> SyncHeartbeat:
        """The older form of a session's heartbeat."""
        return await stores.sessions.sync_heartbeat(session_id, caller, datetime.now(UTC))
