"""/api/health"""

from litestar import Response, get

from ingest.health.rules import judge
from ingest.outages import TAKES_ITS_TIME
from ingest.wiring import Stores
from stockverify import __version__
from stockverify.wire.health import Health


@get("/api/health", name="health", tags=["health"], opt=TAKES_ITS_TIME)
async def health(stores: Stores) -> Response[Health]:
    """Whether the service can do its work; needs no token."""
    services = await stores.health.services()
    told = Health(status=judge(services), services=services, breakers=stores.health.breakers(), version=__version__)
    unhealthy = told.status == "unhealthy"
    return Response(told, status_code=503 if unhealthy else 200, headers={"Retry-After": "5"} if unhealthy else {})
