"""/api/health"""

from typing import Any

from litestar import Response, get

from ingest.health.rules import judge
from ingest.outages import TAKES_ITS_TIME
from ingest.wiring import Stores


@get("/api/health", name="health", tags=["health"], opt=TAKES_ITS_TIME)
async def health(stores: Stores) -> Response[dict[str, Any]]:
    """Whether the service can do its work; needs no token."""
    services = await stores.health.services()
    status = judge(services)
    unhealthy = status == "unhealthy"
    headers = {"Retry-After": "5"} if unhealthy else {}
    return Response({"status": status, "services": services}, status_code=503 if unhealthy else 200, headers=headers)
