"""/metrics"""

from datetime import UTC, datetime

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST

from ingest.outages import TAKES_ITS_TIME
from ingest.wiring import Stores


@get("/metrics", name="metrics", tags=["health"], media_type="text/plain", opt=TAKES_ITS_TIME)
async def metrics(stores: Stores) -> Response[bytes]:
    """What the service counts and measures about itself, as Prometheus reads it; needs no token."""
    return Response(await stores.metrics.text(datetime.now(UTC)), media_type=CONTENT_TYPE_LATEST)
