"""/api/reports/deliveries, and the letters of runs"""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, MediaType, Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.status_codes import HTTP_200_OK

from ingest.deliveries.rules import HEADERS, OCTETS, attached
from ingest.wiring import CurrentCaller, Stores
from stockverify.vocabulary import DeliveryKind, DeliveryState
from stockverify.wire.deliveries import Deliveries, DeliveryInFull

Skip = Annotated[int, QueryParameter(ge=0, le=1_000_000)]
Listed = Annotated[int, QueryParameter(ge=1, le=1000)]


class DeliveryController(Controller):
    """Mails: who was to get what, and what became of it."""

    path = "/api/reports/deliveries"
    tags = ("reports",)

    @get("/", name="deliveries.list")
    async def listed(
        self,
        stores: Stores,
        run: FromQuery[str | None] = None,
        schedule: FromQuery[str | None] = None,
        delivery_state: Annotated[DeliveryState | None, QueryParameter(name="state")] = None,
        kind: FromQuery[DeliveryKind | None] = None,
        skip: Skip = 0,
        limit: Listed = 100,
    ) -> Deliveries:
        """Mails, newest first."""
        return await stores.deliveries.listed(run, schedule, delivery_state, kind, skip, limit)

    @get("/{delivery_id:str}", name="deliveries.one")
    async def one(self, delivery_id: FromPath[str], stores: Stores) -> DeliveryInFull:
        """One mail with the log of its attempts."""
        return await stores.deliveries.one(delivery_id)

    @get("/{delivery_id:str}/html", name="deliveries.html", media_type=MediaType.HTML)
    async def html(self, delivery_id: FromPath[str], stores: Stores) -> Response[str]:
        """The letter as its recipient sees it, without scripts and with its images inside."""
        page = await stores.deliveries.html(await stores.deliveries.letter_of(delivery_id))
        return Response(page, media_type=MediaType.HTML, headers=HEADERS)

    @get("/{delivery_id:str}/text", name="deliveries.text", media_type=MediaType.TEXT)
    async def text(self, delivery_id: FromPath[str], stores: Stores) -> Response[str]:
        """The letter in plain text."""
        text = await stores.deliveries.text(await stores.deliveries.letter_of(delivery_id))
        return Response(text, media_type=MediaType.TEXT, headers=HEADERS)

    @get("/{delivery_id:str}/files/{name:str}", name="deliveries.file", media_type=OCTETS)
    async def file(self, delivery_id: FromPath[str], name: FromPath[str], stores: Stores) -> Response[bytes]:
        """A file that is attached to the mail, to be kept; a browser never opens it here."""
        content = await stores.deliveries.file(delivery_id, name)
        return Response(content, media_type=OCTETS, headers=HEADERS | attached(name))

    @post("/{delivery_id:str}/retry", name="deliveries.retry", status_code=HTTP_200_OK)
    async def retry(self, delivery_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> DeliveryInFull:
        """Send a mail again that failed or whose fate is unknown; for the owner of its schedule and for admins."""
        return await stores.deliveries.retry(delivery_id, caller, datetime.now(UTC))

    @post("/{delivery_id:str}/cancel", name="deliveries.cancel", status_code=HTTP_200_OK)
    async def cancel(self, delivery_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> DeliveryInFull:
        """Do not send a mail that waits; for the owner of its schedule and for admins."""
        return await stores.deliveries.cancel(delivery_id, caller, datetime.now(UTC))


class LetterController(Controller):
    """What a run has written, also one that sends nothing because it is a preview."""

    path = "/api/reports/letters"
    tags = ("reports",)

    @get("/{run_id:str}/html", name="letters.html", media_type=MediaType.HTML)
    async def html(self, run_id: FromPath[str], stores: Stores) -> Response[str]:
        """The letter of a run, without scripts and with its images inside."""
        return Response(await stores.deliveries.html(run_id), media_type=MediaType.HTML, headers=HEADERS)

    @get("/{run_id:str}/text", name="letters.text", media_type=MediaType.TEXT)
    async def text(self, run_id: FromPath[str], stores: Stores) -> Response[str]:
        """The letter of a run in plain text."""
        return Response(await stores.deliveries.text(run_id), media_type=MediaType.TEXT, headers=HEADERS)
