"""/api/activity"""

from typing import Annotated

from litestar import Controller, get
from litestar.params import FromQuery, QueryParameter

from ingest.wiring import Stores
from stockverify.wire.activity import ActivityEntry, ChainCheck

Limit = Annotated[int, QueryParameter(ge=1, le=1000)]
After = Annotated[int, QueryParameter(ge=0, le=2**53)]
Before = Annotated[int | None, QueryParameter(ge=1, le=2**53)]


class ActivityController(Controller):
    """The audit log."""

    path = "/api/activity"
    tags = ("activity",)

    @get("/", name="activity.list")
    async def entries(
        self,
        stores: Stores,
        action: FromQuery[str | None] = None,
        username: FromQuery[str | None] = None,
        subject: FromQuery[str | None] = None,
        before: Before = None,
        limit: Limit = 100,
    ) -> list[ActivityEntry]:
        """Who did what, newest first; go on with `before` = the last sequence number of the page."""
        return await stores.activity.entries(action, username, subject, before, limit)

    @get("/chain", name="activity.chain")
    async def chain(self, stores: Stores, after: After = 0) -> ChainCheck:
        """Whether each entry follows the one before it, from the first one or from the one after `after` on. A check
        takes a second or so; while `last` is below `end`, go on with `after` = `last`."""
        return await stores.activity.chain(after)
