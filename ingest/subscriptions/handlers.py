"""/api/reports/unsubscribe"""

from datetime import UTC, datetime

from litestar import Controller, MediaType, Response, get, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK

from ingest.pages import HEADERS
from ingest.wiring import Stores
from stockverify.unsubscribe import PATH


class SubscriptionController(Controller):
    """Stopping mails by the link in them. Looking at the page changes nothing: mail scanners follow links."""

    path = PATH
    tags = ("reports",)

    @get("/{token:str}", name="subscriptions.page", media_type=MediaType.HTML)
    async def page(self, token: FromPath[str], stores: Stores) -> Response[str]:
        """A page that says how it stands, with a button."""
        return _html(await stores.subscriptions.page(token))

    @post("/{token:str}", name="subscriptions.stop", status_code=HTTP_200_OK, media_type=MediaType.HTML)
    async def stop(self, token: FromPath[str], stores: Stores) -> Response[str]:
        """No more mails of the schedule to this recipient; also what mail programs send (RFC 8058, one click)."""
        return _html(await stores.subscriptions.stop(token, datetime.now(UTC)))

    @post("/{token:str}/undo", name="subscriptions.resume", status_code=HTTP_200_OK, media_type=MediaType.HTML)
    async def resume(self, token: FromPath[str], stores: Stores) -> Response[str]:
        """Mails again."""
        return _html(await stores.subscriptions.resume(token, datetime.now(UTC)))


def _html(page: str) -> Response[str]:
    return Response(page, media_type=MediaType.HTML, headers=HEADERS)
