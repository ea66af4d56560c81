"""/api/reports/anomalies"""

from typing import Annotated

from litestar import Controller, get
from litestar.params import FromQuery, QueryParameter

from ingest.outages import TAKES_ITS_TIME
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire.anomalies import AnomaliesReply

Limit = Annotated[int, QueryParameter(ge=1, le=1000)]


class AnomalyController(Controller):
    """What somebody should look at."""

    path = "/api/reports/anomalies"
    opt = TAKES_ITS_TIME
    tags = ("reports",)

    @get("/", name="anomalies.list")
    async def anomalies(
        self,
        caller: CurrentCaller,
        stores: Stores,
        snapshot_id: FromQuery[str] = "latest",
        kind: FromQuery[str | None] = None,
        against: FromQuery[str | None] = None,
        limit: Limit = 100,
    ) -> AnomaliesReply:
        """What is odd in a snapshot, the most severe first; `kind` may name several, with commas between."""
        return await stores.anomalies.flags(caller, snapshot_id, kind, against, limit)
