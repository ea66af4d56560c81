"""/api/reports/flags"""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from ingest.flags.rules import Asked, kinds_asked
from ingest.outages import TAKES_ITS_TIME
from ingest.wiring import CurrentCaller, Stores
from stockverify.vocabulary import FlagState
from stockverify.wire.anomalies import AskRecount, DismissFlag, KeptFlag, KeptFlags, RecountAsked

Skip = Annotated[int, QueryParameter(ge=0, le=1_000_000)]
Listed = Annotated[int, QueryParameter(ge=1, le=1000)]


class FlagController(Controller):
    """Flags that the worker's scans keep."""

    path = "/api/reports/flags"
    tags = ("reports",)

    @get("/", name="flags.list")
    async def listed(
        self,
        stores: Stores,
        flag_state: Annotated[FlagState | None, QueryParameter(name="state")] = None,
        kind: FromQuery[str | None] = None,
        rack: FromQuery[str | None] = None,
        counter: FromQuery[str | None] = None,
        skip: Skip = 0,
        limit: Listed = 100,
    ) -> KeptFlags:
        """What scans have flagged, the most severe first; `kind` may name several, with commas between."""
        return await stores.flags.listed(Asked(flag_state, kinds_asked(kind), rack, counter), skip, limit)

    @get("/{flag_id:str}", name="flags.one")
    async def one(self, flag_id: FromPath[str], stores: Stores) -> KeptFlag:
        """One flag, and what people have said about it."""
        return await stores.flags.one(flag_id)

    @post("/{flag_id:str}/dismiss", name="flags.dismiss", status_code=HTTP_200_OK)
    async def dismiss(
        self, flag_id: FromPath[str], data: JSONBody[DismissFlag], caller: CurrentCaller, stores: Stores
    ) -> KeptFlag:
        """Say why a flag needs no look; later scans leave it dismissed. The same again changes nothing."""
        return await stores.flags.dismiss(flag_id, data.note, caller, datetime.now(UTC))

    @post("/{flag_id:str}/restore", name="flags.restore", status_code=HTTP_200_OK)
    async def restore(self, flag_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> KeptFlag:
        """Take a dismissal back."""
        return await stores.flags.restore(flag_id, caller, datetime.now(UTC))

    @post("/{flag_id:str}/recount", name="flags.recount", status_code=HTTP_200_OK, opt=TAKES_ITS_TIME)
    async def recount(
        self, flag_id: FromPath[str], data: JSONBody[AskRecount], caller: CurrentCaller, stores: Stores
    ) -> RecountAsked:
        """Open the racks of a flag for another counting round, each by itself, with a reason."""
        return await stores.flags.recount(flag_id, data, caller, datetime.now(UTC))
