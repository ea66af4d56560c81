"""/api/sync"""

import asyncio
import time
from datetime import UTC, datetime

from litestar import Controller, Request, post
from litestar.params import FromQuery
from litestar.status_codes import HTTP_200_OK

from ingest.sync.incoming import read_batch
from ingest.sync.replies import reply
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire import BatchReply, SyncHeartbeat

LARGE = 256 * 1024
"""A body above this is read in a thread, so that heartbeats of others do not wait for it."""


class SyncController(Controller):
    """Batches of counted records."""

    path = "/api/sync"
    tags = ("sync",)

    @post("/batch", name="sync.batch", status_code=HTTP_200_OK)
    async def batch(self, request: Request, caller: CurrentCaller, stores: Stores) -> BatchReply:
        """Store a batch exactly once and answer for each record."""
        started = time.perf_counter()
        body = await request.body()
        batch = await asyncio.to_thread(read_batch, body) if len(body) > LARGE else read_batch(body)
        decision = await stores.sync.accept(batch, caller)
        return reply(batch, decision.outcomes, (time.perf_counter() - started) * 1000)

    @post("/heartbeat", name="sync.heartbeat", status_code=HTTP_200_OK)
    async def heartbeat(
        self, session_id: FromQuery[str], caller: CurrentCaller, stores: Stores, rack_id: FromQuery[str | None] = None
    ) -> SyncHeartbeat:
        """The older form of a session's heartbeat."""
        return await stores.sessions.sync_heartbeat(session_id, caller, datetime.now(UTC))
